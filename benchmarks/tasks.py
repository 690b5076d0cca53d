"""Train supervised tasks by MemUP, by truncated and by full back-propagation, and record them.

    python benchmarks/tasks.py --seeds 0 1 2 [--only TASK ...] [--trainings memup tbptt bptt]

Each cell (task, training, seed) is a new process; what is recorded is not run again. The controls
are the same network on the same data with the same window (`tbptt`: the loss of the present step,
whole episodes from start to end), or with one window over the whole sequence (`bptt`). They lose
nothing (`method.dropout`, `method.state_reset_prob`): dropout did not help full
back-propagation, which makes few updates, and has one window a sequence, before which there is
nothing to forget.
"""

from collections.abc import Mapping

import acceptance

from memup.specs.presets.tasks import TASK_PRESETS
from memup.specs.spec import GENERAL
from memup.tasks.table import make_task

TRAININGS = ("memup", "tbptt", "bptt")
_NOW = {
    "method.selector": "current",
    "method.order": "staggered",
    "method.query_stride": "1",
    "method.targets": "1",
    "method.dropout": "0",
    "method.state_reset_prob": "0",
}
# Steps that a control reads, all rows together, 64 at most: some ten minutes on one core. MemUP
# reads 12 million of copy.
_STEPS = {"tbptt": 13_000_000, "bptt": 38_000_000}


def words(preset: str, training: str) -> list[str]:
    """Return what follows `memup train`."""
    more: Mapping[str, str] = {}
    if training != "memup":
        fields = TASK_PRESETS[preset]()
        given = {name: fields.get(name, GENERAL[name].default) for name in GENERAL}
        window, rows = given["method.window"], min(given["method.batch_size"], 64)
        length = window if training == "tbptt" else make_task(fields["task"]).steps
        updates = max(1, _STEPS[training] // (length * rows))
        sizes = {"method.window": length, "method.batch_size": rows, "method.updates": updates}
        more = {**_NOW, **{name: str(size) for name, size in sizes.items()}}
    if training == "bptt":
        more = {**more, "method.updates_per_call": "5"}
    return [preset, *(word for name, value in more.items() for word in (f"--{name}", value))]


def main() -> None:
    """Run the cells that are not recorded yet."""
    parser = acceptance.parser(sorted(TASK_PRESETS), "presets")
    parser.add_argument("--trainings", nargs="+", choices=TRAININGS, default=TRAININGS)
    args = parser.parse_args()
    rows = {(p, training): words(p, training) for p in args.only for training in args.trainings}
    commands = {" ".join(keys): f"memup train {' '.join(w)} --seed N" for keys, w in rows.items()}
    acceptance.cells("tasks", rows, ("task", "training"), args, commands=commands)


if __name__ == "__main__":
    main()
