"""A run that is as small as a run can be, and one finished run that tests may share."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

FIELDS = {
    "env": "tmaze-10",
    "memory": "rnn",
    "memory.size": 6,
    "collect.episodes": 32,
    "collect.environments": 8,
    "detect.updates": 100,
    "method.updates": 60,
    "method.batch_size": 4,
    "method.updates_per_call": 10,
    "method.window": 4,
    "encoder.size": 6,
    "method.width": 6,
    "agent.steps": 2048,
    "agent.environments": 4,
    "agent.minibatches": 2,
    "agent.rollout": 16,
    "agent.hidden": 6,
    "agent.epochs": 1,
    "evaluate.episodes": 8,
}
JOINT = {"joint.updates": 20, "joint.limit": 48}
TIMES = {"wall_s", "compile_s", "steps_per_second"}


def without_times(rows):
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def fields(**more):
    made = {**FIELDS, **{name.replace("__", "."): value for name, value in more.items()}}
    return {**made, **JOINT} if made.get("training") == "joint" else made


def words(**more):
    """The fields as a command line."""
    return [word for name, value in fields(**more).items() for word in (f"--{name}", str(value))]


@cache
def finished_run() -> Path:
    """Return the directory of a finished run; read it, do not write to it."""
    import memup

    folder = Path(tempfile.mkdtemp(prefix="memup-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    memup.train(memup.spec(**FIELDS), folder / "run")
    return folder / "run"


def copy_of_finished_run(folder: Path) -> Path:
    """Return a copy that may be damaged."""
    return Path(shutil.copytree(finished_run(), folder / "copy"))
