"""Peak resident memory of memory training at corridors of 1,000 and of 20,000 steps.

Each length runs in a process of its own, episodes on disk, with the same number of stored steps:
pages of the store that were read are resident too. The peak is that of the memory phase alone (the
counter of /proc is set back when the phase begins).

    python benchmarks/peak_memory.py
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import record

EPISODES = {1000: 2560, 20_000: 128}
UPDATES = 1000


def measure(length: int, folder: str) -> dict:
    """Collect, detect and train; return the phase's peaks in MiB."""
    from memup.build.job import build
    from memup.phases.fit import fit
    from memup.specs.presets import spec

    fields = {
        "env": f"tmaze-{length}",
        "collect.episodes": EPISODES[length],
        "collect.environments": 64,
        "method.order": "staggered",
        "method.updates": UPDATES,
        "method.patience": 0,
        "detect.updates": 200,
    }
    for event in fit(build(spec(**fields), path=Path(folder) / "store")):
        if event.phase == "detect" and event.last:
            Path("/proc/self/clear_refs").write_text("5")
        if event.phase == "memory" and event.last:
            break
    lines = Path("/proc/self/status").read_text().splitlines()
    pairs = (line.split(":") for line in lines)
    sizes = {n: int(v.split()[0]) // 1024 for n, v in pairs if n in {"VmHWM", "RssAnon"}}
    return {"peak_rss_mib": sizes["VmHWM"], "anonymous_at_end_mib": sizes["RssAnon"]}


def main() -> None:
    """Measure both lengths, several times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--length", type=int)
    parser.add_argument("--folder")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.length:
        print(json.dumps(measure(args.length, args.folder)))
        return
    found: dict = {str(length): [] for length in EPISODES}
    for _ in range(args.rounds):
        for length in EPISODES:
            with tempfile.TemporaryDirectory() as folder:
                command = [sys.executable, __file__, "--length", str(length), "--folder", folder]
                out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found[str(length)].append(json.loads(out.splitlines()[-1]))
    low, high = (min(r["peak_rss_mib"] for r in found[str(n)]) for n in EPISODES)
    record.write("peak_memory", {**found, "ratio": round(high / low, 3)}, updates=UPDATES)
    print(json.dumps(found), round(high / low, 3))


if __name__ == "__main__":
    main()
