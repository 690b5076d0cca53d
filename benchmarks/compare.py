"""Two checkouts beside each other, in turn: updates, evaluation and the demo, before and after.

Each checkout's own code is run, in a process of its own that waits for its turn. A ratio is ours
over the base's speed of the same round; the order changes every round.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import results_file
from memup.core.errors import MemupError, require

ROOT = Path(__file__).parents[1]
ROWS = ("lstm64-every", "lstm64-last", "lstm256-every", "lstm256-last", "evaluation", "demo")
TIMED = Path(__file__).parent / "measures" / "timed.py"
LEAST = 0.97


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `compare` can be told."""
    parser.add_argument("--base", type=Path, required=True, metavar="DIR", help="other checkout")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS)
    parser.add_argument("--quick", action="store_true", help="two short rounds, unrecorded")


class Checkout:
    """A process that runs the code of a checkout, idle until it is asked."""

    def __init__(self, folder: Path, row: str, quick: bool):
        paths = [folder / "src", folder, folder / "benchmarks"]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}
        command = [sys.executable, str(TIMED), row] + ["--quick"] * quick
        pipe = subprocess.PIPE
        self.folder = folder
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, text=True
        )

    def speed(self) -> float:
        """Return the speed of one more round: the more the better."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        stdin.write("again\n")
        stdin.flush()
        for line in stdout:
            if line.startswith("{"):
                return json.loads(line)["speed"]
        raise MemupError(f"{self.folder}: ended without a speed; its error stands above")

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()


def measure(row: str, base: Path, rounds: int, quick: bool) -> dict:
    """Time one row in both checkouts, in turn."""
    sides = {"base": Checkout(base, row, quick), "ours": Checkout(ROOT, row, quick)}
    speeds: dict[str, list[float]] = {"base": [], "ours": []}
    try:
        for number in range(rounds):
            for name in sorted(sides, reverse=number % 2 == 1):
                speeds[name].append(sides[name].speed())
    finally:
        for side in sides.values():
            side.close()
    ratios = [a / b for a, b in zip(speeds["ours"], speeds["base"], strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 3),
        "ratio_least": round(min(ratios), 3),
        "ratio_most": round(max(ratios), 3),
        "ratios": [round(r, 3) for r in ratios],
        "base_speed": round(statistics.median(speeds["base"]), 4),
        "speed": round(statistics.median(speeds["ours"]), 4),
    }


def run(args: argparse.Namespace) -> int:
    """Compare; 1 where a median ratio is below what must hold."""
    base = args.base.resolve()
    require((base / "src" / "memup").is_dir(), f"--base {base}: no checkout of memup (src/memup)")
    words = ["git", "-C", str(base), "rev-parse", "--short=7", "HEAD"]
    head = subprocess.run(words, capture_output=True, text=True).stdout.strip()
    rounds, bad = (2 if args.quick else args.rounds), 0
    print(f"{'':14} {'median':>7} {'least':>7} {'most':>7}   speed of ours over {head or base}")
    for row in args.rows:
        found = measure(row, base, rounds, args.quick)
        low = found["ratio"] < LEAST
        bad |= low
        shown = "".join(f" {found[n]:7.3f}" for n in ("ratio", "ratio_least", "ratio_most"))
        print(f"{row:14}{shown}   {f'MISSED: at least {LEAST}' if low else ''}", flush=True)
        if not args.quick:
            about = results_file.here(len(os.sched_getaffinity(0)))
            results_file.put("house", {"row": row, "base": head}, {**found, **about})
    return int(bad and not args.quick)
