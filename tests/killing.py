"""Kill runs at random moments, go on each time, and compare with runs that were never killed.

$ python tests/killing.py --kills 20 --training two-phase joint end-to-end
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from tiny import fields, without_times

import memup.api
import memup.runs.recording
from memup.runs.checkpoint import _open
from memup.runs.rundir import RunDir
from memup.specs.presets import spec

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "memup" / "xla"


def start(training: str, folder: Path, every: float) -> int:
    """Train in a process of its own (a fork, which need not import everything again)."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        import jax

        # Starts after the first find all their programs in the cache, however small.
        jax.config.update("jax_compilation_cache_dir", str(CACHE))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        memup.runs.recording.CHECKPOINT_EVERY_S = every
        memup.api.train(spec(**fields(training=training)), folder)
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def arrays(folder: Path) -> dict[str, np.ndarray]:
    return _open(folder / "checkpoints" / memup.runs.recording.CHECKPOINT)[0]


def differences(whole: Path, killed: Path) -> list[str]:
    """Say what differs between two finished runs."""
    found = []
    one, two = arrays(whole), arrays(killed)
    found += [f"names {set(one) ^ set(two)}"] if set(one) != set(two) else []
    same = lambda a, b: a.dtype == b.dtype and a.tobytes() == b.tobytes()  # noqa: E731
    found += [f"array {n}" for n in one if n in two and not same(one[n], two[n])]
    for kind in ("metrics", "eval"):
        rows = [without_times(RunDir.open(p).rows(kind)) for p in (whole, killed)]
        if len(rows[0]) != len(rows[1]):
            found.append(f"{kind}: {len(rows[0])} rows, {len(rows[1])}")
        for a, b in zip(*rows, strict=False):
            found += [
                f"{kind} {a.get('phase', '')} {n}: {a[n]} {b.get(n)}" for n in a if a[n] != b.get(n)
            ]
    return found


def kill_at(pid: int, folder: Path, rows: int, delay: float) -> int:
    """Kill a process a moment after it has written so many rows; return its exit code."""
    file, limit = folder / "metrics.jsonl", time.monotonic() + 300
    while not file.exists() or file.read_bytes().count(b"\n") < rows:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        assert time.monotonic() < limit, f"no {rows} rows in five minutes"
        time.sleep(0.001)
    time.sleep(delay)
    os.kill(pid, signal.SIGKILL)
    return wait(pid)


def compare(training: str, kills: int, seed: int) -> dict[str, object]:
    """Train once whole, once with kills; return what differs."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        whole, killed = Path(name) / "whole", Path(name) / "killed"
        assert wait(start(training, whole, 10.0)) == 0
        total = len(RunDir.open(whole).rows("metrics"))
        moments = sorted(rng.choices(range(total), k=kills))
        for rows in moments:
            # Mostly a checkpoint after every piece of work, sometimes an older one.
            pid = start(training, killed, rng.choice([0.0, 0.0, 0.3]))
            code = kill_at(pid, killed, rows, rng.uniform(0, 0.05))
            assert code in (0, -signal.SIGKILL), f"the run ended with {code}"
        assert wait(start(training, killed, 10.0)) == 0
        return {
            "training": training,
            "killed_at": moments,
            "rows": total,
            "differences": differences(whole, killed),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--training", nargs="+", default=["two-phase", "joint", "end-to-end"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results = [compare(training, args.kills, args.seed) for training in args.training]
    print(json.dumps({"results": results}, indent=None if args.json else 1))
    return int(any(r["differences"] for r in results))


if __name__ == "__main__":
    sys.exit(main())
