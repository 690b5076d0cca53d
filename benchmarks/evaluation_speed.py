"""How fast very long episodes are evaluated: environment steps a second, LSTM 64, acting `greedy`.

    python benchmarks/evaluation_speed.py

Trains on short mazes, then plays fresh ones of 100,000 steps. Compiling counts.
"""

import argparse
import tempfile
from pathlib import Path

import record

import memup

BATCHES = (64, 256)
LENGTH = 100_000


def main() -> None:
    """Record the speeds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        memup.train(memup.preset("tmaze-100", agent="greedy"), path)
        for batch in BATCHES:
            row = memup.evaluate(path, env=f"tmaze-{LENGTH}", episodes=batch)
            names = ("success_rate", "steps_per_second")
            results.append({"batch": batch, "length": LENGTH, **{n: row[n] for n in names}})
            print(results[-1])
    record.write("evaluation_speed", results)


if __name__ == "__main__":
    main()
