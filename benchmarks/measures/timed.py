"""What `compare` times in a checkout, which may be an older one: only what both sides have.

python timed.py ROW [--quick]      one line with a speed for every line on standard input
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable


def updates(name: str, quick: bool) -> Callable[[], float]:
    """Return what measures the sequence-steps a second of a program of measures/speed.py."""
    try:
        from benchmarks.measures.speed import Program
    except ImportError:
        from speed import Program  # where that program lay before
    program = Program(name)
    return lambda: program.rate(0.5 if quick else 4.0)


def evaluation(quick: bool) -> Callable[[], float]:
    """Return what measures steps a second of long episodes, played by what one run learned."""
    import memup

    folder = tempfile.TemporaryDirectory()
    spec = {"method.updates": 20, "collect.episodes": 64} if quick else {}
    memup.train(memup.preset("tmaze-100", agent="greedy", **spec), f"{folder.name}/run")
    env = "tmaze-1000" if quick else "tmaze-20000"

    def once() -> float:
        # The folder lives as long as this function, which holds it.
        return memup.evaluate(f"{folder.name}/run", env=env, episodes=64)["steps_per_second"]

    return once


def demo() -> float:
    """Return the demos a second; each compiles anew, as for a user."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        command = ["env", f"XDG_CACHE_HOME={folder}/cache", sys.executable, "-m", "memup", "demo"]
        command += ["--run-dir", f"{folder}/demo"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return 1 / (time.perf_counter() - begin)


def main() -> None:
    """Answer every line."""
    row, quick = sys.argv[1], "--quick" in sys.argv
    if row == "demo":
        speed: Callable[[], float] = demo
    else:
        speed = evaluation(quick) if row == "evaluation" else updates(row, quick)
    for _ in sys.stdin:
        print(json.dumps({"speed": speed()}), flush=True)


if __name__ == "__main__":
    main()
