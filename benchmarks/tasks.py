"""Train supervised tasks by MemUP, by truncated and by full back-propagation, and record them.

    python benchmarks/tasks.py --seeds 0 1 2 [--only TASK ...] [--trainings memup tbptt bptt]

Each cell (task, training, seed) is a new process; what is recorded is not run again. The controls
are the same network on the same data with the same window (`tbptt`: the loss of the present step,
whole episodes from start to end), or with one window over the whole sequence (`bptt`).
"""

import argparse
from collections.abc import Mapping

import acceptance

from memup.task_presets import TASK_PRESETS
from memup.tasks.table import make_task

TRAININGS = ("memup", "tbptt", "bptt")
_NOW = {
    "method.selector": "current",
    "method.order": "staggered",
    "method.query_stride": "1",
    "method.targets": "1",
}
# Updates of a control: about what MemUP's half hour holds.
_UPDATES = {"tbptt": 20_000, "bptt": 400}


def words(preset: str, training: str) -> list[str]:
    """Return what follows `memup train`."""
    more: Mapping[str, str] = {}
    if training != "memup":
        more = {**_NOW, "method.updates": str(_UPDATES[training])}
    if training == "bptt":
        steps = make_task(str(TASK_PRESETS[preset]()["task"])).steps
        more = {**more, "method.window": str(steps), "method.chunk": "5"}
    return [preset, *(word for name, value in more.items() for word in (f"--{name}", value))]


def main() -> None:
    """Run the cells that are not recorded yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", default=sorted(TASK_PRESETS), help="presets")
    parser.add_argument("--trainings", nargs="+", choices=TRAININGS, default=TRAININGS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = {(p, training): words(p, training) for p in args.only for training in args.trainings}
    commands = {" ".join(keys): f"memup train {' '.join(w)} --seed N" for keys, w in rows.items()}
    acceptance.cells("tasks", rows, ("task", "training"), args.seeds, commands=commands)


if __name__ == "__main__":
    main()
