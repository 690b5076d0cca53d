"""Kill runs with SIGKILL at 20 random moments, go on each time, compare with unbroken runs.

python benchmarks/kills.py
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import record

SCRIPT = Path(__file__).parents[1] / "tests" / "killing.py"


def main() -> None:
    """Record the differences: there must be none."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--training", nargs="+", default=["two-phase", "joint", "end-to-end"])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    command = [sys.executable, str(SCRIPT), "--json", "--kills", str(args.kills)]
    out = subprocess.run([*command, "--training", *args.training], capture_output=True, text=True)
    results = json.loads(out.stdout.strip().splitlines()[-1])["results"]
    print(json.dumps(results))
    record.write("kills", results, kills=args.kills)


if __name__ == "__main__":
    main()
