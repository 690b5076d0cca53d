"""memup train: from a preset, an environment or a data set to a trained run."""

import sys
from pathlib import Path

from memup.cli.fields import add_fields, resolve
from memup.cli.parser import Parser
from memup.core.errors import unknown_name
from memup.specs.presets import PRESETS
from memup.specs.spec import RunSpec

FLAGS = ("--fresh", "--quiet")


def run(argv: list[str]) -> int:
    """Train; a run directory that holds an unfinished run of the same spec goes on."""
    named = _positional(argv)
    if named is not None and named not in PRESETS:
        raise unknown_name("preset", named, PRESETS)
    base = dict(PRESETS[named]()) if named else {}
    what = "a preset, an environment (--env), a task (--task) or a data set (--dataset)"
    parser = Parser("train", f"Train {what}.")
    parser.add_argument("preset", nargs="?", help="a name of `memup list presets`")
    parser.add_argument("--run-dir", help="where the run is kept [runs/NAME-seedN]")
    parser.add_argument("--fresh", action="store_true", help="begin anew beside an existing run")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    add_fields(parser, argv, base)
    args = vars(parser.parse(argv))
    own = {name: args.pop(name) for name in ("preset", "run_dir", "fresh", "quiet")}
    spec = resolve(own["preset"], {n: v for n, v in args.items() if v is not None})
    path = Path(own["run_dir"] or default_directory(own["preset"], spec))
    return train(spec, path, own["fresh"], own["quiet"])


def _positional(argv: list[str]) -> str | None:
    """Return the first word that is neither an option nor the value of one."""
    before = ""
    for word in argv:
        takes_value = before.startswith("--") and "=" not in before and before not in FLAGS
        if not word.startswith("-") and not takes_value:
            return word
        before = word
    return None


def default_directory(name: str | None, spec: RunSpec) -> Path:
    """Return runs/NAME-seedN; NAME is the preset, or says environment and memory."""
    plain = spec["env"] or spec["task"] or Path(spec["dataset"]).name
    plain = plain.replace(":", "-").replace("/", "-")
    return Path("runs") / f"{name or plain + '-' + spec['memory']}-seed{spec['seed']}"


def train(spec: RunSpec, path: Path, fresh: bool = False, quiet: bool = False) -> int:
    """Train in a run directory with progress on standard error; print results and the page."""
    from memup.cli.progress import Progress
    from memup.reports.page import write_report
    from memup.runs.rundir import RunDir

    print(f"memup: {path}: starting (Ctrl-C keeps a checkpoint)", file=sys.stderr)
    from memup.api import train as train_api

    with Progress(quiet) as progress:
        result = train_api(spec, path, fresh=fresh, on_row=progress.show)
    directory = RunDir.open(result.path or path)
    page = write_report([directory])
    show_results(directory.rows("eval"), f"{directory.path}")
    print(page)
    return 0


def show_results(rows: list[dict], title: str) -> None:
    """Print the table of results."""
    from rich.console import Console

    from memup.reports.table import result_table

    Console().print(result_table(rows).rich(title))
