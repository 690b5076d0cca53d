"""How time and memory grow with the length of the dependency: MemUP, truncated and full BPTT.

    python benchmarks/scaling.py --seeds 0 [--only "MemUP, jump" ...] [--lengths 100 1000 ...]
    python benchmarks/scaling.py --picture      (nothing is measured; docs/images/scaling.svg)

T-Maze with episodes that are all L steps long, the same network everywhere, acting by what the
predictor expects. A control may make 4,000 updates. Full BPTT is one window over the whole episode,
for as long as that fits. Goes on where it stopped.
"""

import acceptance
import scaling_picture

LENGTHS = (100, 1000, 10_000, 100_000, 1_000_000)
CONTROL = ["--method.selector", "current", "--method.updates", "4000"]
METHODS = {
    "MemUP, jump": (LENGTHS, ["--method.order", "jump"]),
    "MemUP, staggered": (LENGTHS[:4], ["--method.order", "staggered"]),
    "truncated BPTT": (LENGTHS[:3], ["--method.order", "staggered", *CONTROL]),
    "full BPTT": (LENGTHS[:2], ["--method.order", "sequential", *CONTROL]),
}


def words(method: str, length: int) -> list[str]:
    """Return what follows `memup train`."""
    # An episode may be ten steps longer, and its end is a step too.
    window = length + 11 if method == "full BPTT" else 20
    size = ["--method.window", str(window), "--evaluate.episodes", "64"]
    return ["tmaze-100000", "--env", f"tmaze-{length}", *size, *METHODS[method][1]]


def main() -> None:
    """Run the cells that are not recorded yet, then draw all that are."""
    parser = acceptance.parser(METHODS, "methods")
    parser.add_argument("--lengths", nargs="+", type=int, choices=LENGTHS, default=LENGTHS)
    parser.add_argument("--picture", action="store_true", help="draw what is recorded")
    args = parser.parse_args()
    if not args.picture:
        rows = {
            (method, str(length)): words(method, length)
            for length in args.lengths
            for method in args.only
            if length in METHODS[method][0]
        }
        acceptance.cells("scaling", rows, ("method", "length"), args)
    print(scaling_picture.write())


if __name__ == "__main__":
    main()
