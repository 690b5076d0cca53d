"""Dependencies of a million steps: train on episodes that are all that long, and record.

    python benchmarks/frontier.py --seeds 0 1 2 [--only tmaze-100000 ...]

No oracle: random play is stored, the detector finds what is uncertain, the memory jumps, the agent
acts by what the predictor expects. Goes on where it stopped: a cell (task, seed) that is recorded
is not run again. Wall times are by phase; `peak_anonymous_mib` is the process's own memory, pages
of the store excepted. The row `tmaze-1000` is the same program on short episodes.
"""

import acceptance

from memup.specs.presets.long import LONG_PRESETS

# The paper's choices beside ours: its authors' detector, and targets by score alone.
PAPER = ["--method.detector", "surprise", "--method.selector", "top-k+current"]
BOUNDED = ["--method.updates", "5000"]
ROWS = {
    "tmaze-1000": ["tmaze-100000", "--env", "tmaze-1000"],
    **{name: [name] for name in LONG_PRESETS},
    **{
        f"{name}, {label}": [name, *fields, *BOUNDED]
        for name in ("tmaze-distractors-5-lnr-1000", "tmaze-distractors-20-lnr-1000")
        for label, fields in {
            "surprise": PAPER,
            "entropy, top-k": ["--method.selector", "top-k"],
        }.items()
    },
}


def main() -> None:
    """Run the cells that are not recorded yet."""
    args = acceptance.parser(ROWS).parse_args()
    rows = {(task,): ROWS[task] for task in args.only}
    acceptance.cells("frontier", rows, ("task",), args, command="memup train TASK --seed N")


if __name__ == "__main__":
    main()
