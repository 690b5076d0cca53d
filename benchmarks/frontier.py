"""Dependencies of a million steps: train on episodes that are all that long, and record.

    python benchmarks/frontier.py --seeds 0 1 2 [--only tmaze-100000 ...]

No oracle: random play is stored, the detector finds what is uncertain, the memory jumps, the agent
acts by what the predictor expects. Goes on where it stopped: a cell (task, seed) that is recorded
is not run again. Wall times are by phase; `peak_anonymous_mib` is the process's own memory, pages
of the store excepted. The row `tmaze-1000` is the same program on short episodes.
"""

import argparse

import acceptance

ROWS = {
    "tmaze-1000": [
        *("tmaze-1000", "--agent", "greedy", "--method.order", "jump"),
        *("--collect.episodes", "512", "--collect.environments", "64"),
        *("--evaluate.episodes", "256"),
    ],
    "tmaze-100000": ["tmaze-100000"],
    "tmaze-1000000": ["tmaze-1000000"],
    "tmaze-anywhere-1000000": ["tmaze-1000000", "--env", "tmaze-anywhere-1000000"],
    "tmaze-endless-10-10000": ["tmaze-100000", "--env", "tmaze-endless-10-10000"],
}


def main() -> None:
    """Run the cells that are not recorded yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--only", nargs="+", choices=sorted(ROWS), help="rows; all by default")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rows = {(task,): ROWS[task] for task in args.only or ROWS}
    acceptance.cells("frontier", rows, ("task",), args.seeds, command="memup train TASK --seed N")


if __name__ == "__main__":
    main()
