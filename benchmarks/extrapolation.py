"""Train on mazes of a million steps, then judge the same network on mazes a hundred times as long.

    python benchmarks/extrapolation.py --run runs/million [--steps 100000000] [--episodes 16]

The run is trained if it is not there (7 GB on disk), and kept. Nothing is learned at the new
length. `steps_per_second` counts all episodes side by side.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import record

PRESET = "tmaze-1000000"


def memup(*words: str) -> str:
    """Run the program; return what it prints."""
    command = [sys.executable, "-m", "memup", *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    """Train, evaluate and record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100_000_000)
    parser.add_argument("--episodes", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    # A run that is finished is left as it is.
    short = ["--evaluate.episodes", "16", "--quiet"]
    memup("train", PRESET, "--seed", str(args.seed), "--run-dir", str(args.run), *short)
    env = f"tmaze-{args.steps}"
    found = json.loads(
        memup("eval", str(args.run), "--env", env, "--episodes", str(args.episodes), "--json")
    )
    rows = [r for r in record.earlier("extrapolation") or [] if r["env"] != env]
    kept = {name: found[name] for name in found if name not in ("run", "name", "seed")}
    row = {"trained": PRESET, "seed": args.seed, **kept}
    print(json.dumps(row))
    record.write("extrapolation", [*rows, row])


if __name__ == "__main__":
    main()
