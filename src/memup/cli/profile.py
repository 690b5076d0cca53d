"""memup profile: does this problem need memory, and how long?"""

import json
import sys
from pathlib import Path
from typing import Any

from memup.cli.fields import add_fields, resolve
from memup.cli.parser import Parser


def run(argv: list[str]) -> int:
    """Profile a run, or train detector and memory on an environment or data set first."""
    parser = Parser("profile", "Does this problem need memory, and how long?")
    parser.add_argument("run", nargs="?", help="run directory; or --env ID or --dataset PATH")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_fields(parser, argv, {})
    args = vars(parser.parse(argv))
    run_dir, as_json = args.pop("run"), args.pop("json")
    given = {name: value for name, value in args.items() if value is not None}
    found = _of_run(Path(run_dir)) if run_dir else _of_problem(given)
    print(json.dumps(found) if as_json else _sentences(found))
    return 0


def _of_run(path: Path) -> dict[str, Any]:
    from memup.api import reopen
    from memup.phases.profile import profile

    return {"of": str(path), **profile(reopen(path).job)}


def _of_problem(given: dict[str, str]) -> dict[str, Any]:
    """Train detector and memory, but no policy."""
    spec = resolve(None, given)
    from memup.api import use_compilation_cache
    from memup.build.job import build
    from memup.cli.progress import Progress
    from memup.phases.fit import fit
    from memup.phases.profile import profile

    use_compilation_cache()
    job = build(spec)
    with Progress(quiet=not sys.stderr.isatty()) as progress:
        for event in fit(job):
            progress.show({"phase": event.phase, "step": event.step, **event.metrics})
            if event.phase == "memory" and event.last:
                break
    return {"of": spec["env"] or spec["task"] or spec["dataset"], **profile(job)}


def _sentences(found: dict[str, Any]) -> str:
    lines = [
        f"{found['of']}: episodes of {found['episode_length']:,.0f} steps",
        f"  uncertain alone    {100 * found['uncertain_share']:.3g} % of the steps; the most "
        f"uncertain one of an episode by {found['uncertainty_nats']:.3f} nats",
        f"  with memory        {found['loss_with_memory_nats']:.3f} nats: memory explains "
        f"{100 * found['explained_share']:.0f} %",
    ]
    if found["dependency_length"] is not None:
        lines.append(
            f"  known since        {found['dependency_length']:,.0f} steps before (median)"
        )
    answer = "needs memory" if found["needs_memory"] else "memory was of no use here"
    return "\n".join([*lines, f"  => {answer}"])
