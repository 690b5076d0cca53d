"""memup demo: MemUP beside its controls, in one table and one page."""

import sys
import time
from pathlib import Path
from typing import Any

from memup.cli.parser import Parser
from memup.cli.progress import Progress
from memup.cli.train import show_results
from memup.reports.page import write_report
from memup.runs.rundir import RunDir
from memup.specs.presets import preset
from memup.specs.spec import RunSpec


def run(argv: list[str]) -> int:
    """Train the preset and its two controls; print the table and the path of the page."""
    parser = Parser("demo", "MemUP, truncated BPTT and no memory on the same task and budget.")
    parser.add_argument("--preset", default="tmaze-1000", help="which preset [tmaze-1000]")
    parser.add_argument("--seed", type=int, default=0, help="of every run [0]")
    parser.add_argument("--episodes", type=int, default=1000, help="of the evaluation [1000]")
    parser.add_argument("--run-dir", default="runs/demo", help="where runs are kept [runs/demo]")
    parser.add_argument("--fresh", action="store_true", help="begin anew beside existing runs")
    args = parser.parse(argv)
    begin = time.perf_counter()
    base = preset(args.preset, seed=args.seed, **{"evaluate.episodes": args.episodes})
    folder = Path(args.run_dir)
    runs = [_train("MemUP", base, folder / "memup", args.fresh)]
    for name, spec in controls(base, runs[0]).items():
        runs.append(_train(name, spec, folder / name.replace(" ", "-"), args.fresh))
    page = write_report(runs, folder / "report.html")
    rows = [row for run in runs for row in run.rows("eval")]
    show_results(rows, f"{args.preset}: {args.episodes:,} fresh episodes, seed {args.seed}")
    print(f"{time.perf_counter() - begin:.0f} s in all. The page: {page}")
    return 0


def controls(base: RunSpec, trained: RunDir) -> dict[str, RunSpec]:
    """Return the same task with what MemUP adds taken away.

    Truncated BPTT has the same network, window, number of updates and environment steps, but
    predicts the present step only; the other control has no memory at all.
    """
    used = _used(trained)
    steps = {"agent.steps": used["env_steps"], "agent.stop_at_success": 2.0}
    same = {"method.updates": used["updates"], "method.patience": 0}
    return {
        "truncated BPTT": base.replace({"method.selector": "current", **same, **steps}),
        "no memory": base.replace({"memory": "none", "training": "end-to-end", **steps}),
    }


def _used(trained: RunDir) -> dict[str, int]:
    """Return the memory updates and environment steps that a finished run took."""
    rows: list[dict[str, Any]] = trained.rows("metrics")
    updates = max(row["updates"] for row in rows if row["phase"] == "memory")
    steps = max(row["env_steps"] for row in rows if row["phase"] == "policy")
    return {"updates": int(updates), "env_steps": int(steps)}


def _train(name: str, spec: RunSpec, path: Path, fresh: bool) -> RunDir:
    from memup.api import train

    print(f"memup: {name}", file=sys.stderr)
    with Progress() as progress:
        result = train(spec, path, fresh=fresh, on_row=progress.show)
    return RunDir.open(result.path or path)
