"""Long sequences from disk: what an update costs does not depend on their length.

Sequences lie in a folder and are read where they are needed. The order `jump` shows the memory the
first window of a sequence and a few others; targets are looked up however far away they are.

Prints, for two lengths, accuracy on held-out sequences (expect 1.0) and the time of an update.

    python examples/05_long_sequences.py [--quick]
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import memup


def fill(path: Path, length: int, count: int) -> memup.EpisodeStore:
    """Write sequences one by one: a cue at the first step, a question at the last."""
    rng, store = np.random.default_rng(0), memup.EpisodeStore(path)
    for _ in range(count):
        cue, obs, label = rng.integers(2), np.zeros((length, 3), np.int8), np.full(length, -1)
        obs[0, 0], obs[-1, 1], label[-1] = 2 * cue - 1, 1, cue
        obs[:, 2] = rng.choice([-1, 1], length)
        store.add({"obs": obs, "label": label})
    return store


def train(store: memup.EpisodeStore) -> tuple[float, float]:
    """Return accuracy and milliseconds of an update."""
    times: list[tuple[float, int]] = []

    def note(row: dict) -> None:
        if row["phase"] == "memory" and "held_out_loss" not in row:
            times.append((time.perf_counter(), row["updates"]))

    names = {"method.target": "label", "method.order": "jump", "method.order.segments": 4}
    sizes = {"memory.size": 32, "method.window": 10, "method.batch_size": 32, "detect.updates": 200}
    spec = memup.spec(training="supervised", memory="gru", **names, **sizes)
    run = memup.train(spec, store=store, on_row=note)
    (begin, first), (end, last) = times[0], times[3]  # before the first look at held-out data
    return run.results[0]["accuracy"], 1000 * (end - begin) / (last - first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one length, 200")
    lengths = (200,) if parser.parse_args().quick else (1_000, 20_000)
    with tempfile.TemporaryDirectory() as folder:
        for length in lengths:
            accuracy, cost = train(fill(Path(folder) / str(length), length, 256))
            print(f"length {length:>6,}: accuracy {accuracy:.3f}, {cost:.2f} ms an update")


if __name__ == "__main__":
    main()
