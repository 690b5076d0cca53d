"""Start-up: `memup --help`, and the same short run with an empty and a full compilation cache.

python benchmarks/start_up.py
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time

import record

SHORT = ["train", "--env", "tmaze-24", "--quiet", "--method.updates", "50", "--agent.steps", "1"]


def seconds(words: list[str], cache: str) -> float:
    """Run memup in a new process; return the wall time."""
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    begin = time.perf_counter()
    command = [sys.executable, "-m", "memup", *words]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return round(time.perf_counter() - begin, 2)


def main() -> None:
    """Record the times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        help_s = min(seconds(["--help"], folder) for _ in range(5))
        runs = [
            seconds([*SHORT, "--run-dir", f"{folder}/run{number}"], folder) for number in range(3)
        ]
    results = {"help_s": help_s, "first_start_s": runs[0], "second_start_s": min(runs[1:])}
    results["faster_by"] = round(runs[0] / min(runs[1:]), 2)
    record.write("start_up", results)
    print(results)


if __name__ == "__main__":
    main()
