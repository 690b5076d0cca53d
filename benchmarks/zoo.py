"""Train every memory of the table by MemUP, each from its preset, and record what it reaches.

    python benchmarks/zoo.py --maze tmaze-1000 --seeds 0 1 2 [--only NAME ...]

Goes on where it stopped: a cell (maze, memory, seed) that is recorded is not run again. The
compilation cache is empty for each memory's first seed, as for a user.
"""

import acceptance

from memup.specs.presets import ZOO


def main() -> None:
    """Run the cells that are not recorded yet."""
    parser = acceptance.parser()
    parser.add_argument("--maze", choices=sorted(ZOO), required=True)
    parser.add_argument("--only", nargs="+", help="memories; all that have a preset by default")
    args = parser.parse_args()
    rows = {(memory,): [f"{args.maze}-{memory}"] for memory in args.only or ZOO[args.maze]}
    command = f"memup train {args.maze}-MEMORY --seed N"
    acceptance.cells(f"zoo-{args.maze}", rows, ("memory",), args, command=command)


if __name__ == "__main__":
    main()
