"""Run `memup demo` and record its table and its time; draw docs/images/method.svg from its run.

python benchmarks/demo.py      (the compilation cache is empty, as for who runs it first)
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import picture
import record

NAMES = ("memup", "truncated-BPTT", "no-memory")
PICTURE = Path(__file__).parents[1] / "docs" / "images" / "method.svg"


def main() -> None:
    """Record a row for each of the three runs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        command = [sys.executable, "-m", "memup", "demo", "--run-dir", folder]
        # Nothing is compiled yet, as for who runs it first.
        env = {**os.environ, "XDG_CACHE_HOME": f"{folder}/cache"}
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=env)
        wall = time.perf_counter() - begin
        rows = [_row(Path(folder) / name) for name in NAMES]
        explain = json.loads((Path(folder) / "memup" / "explain.json").read_text())
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(picture.draw(explain, 20))
    record.write("demo", rows, command="memup demo", wall_s=round(wall, 1))
    print(json.dumps(rows))


def _row(run: Path) -> dict:
    row = json.loads((run / "eval.jsonl").read_text().splitlines()[-1])
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    kept = {n: row[n] for n in ("name", "episodes", "success_rate", "success_ci95", "return_mean")}
    return kept | {"wall_s": last["wall_s"]}


if __name__ == "__main__":
    main()
