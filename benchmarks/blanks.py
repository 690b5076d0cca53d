"""Train every memory to copy over 10,000 blanks, then judge it over 100,000 and a million.

    python benchmarks/blanks.py [--only MEMORY ...] [--folder runs/blanks]

The preset `copy-10000` with another memory each time, of about as many numbers in its state, whose
longest time scale is that of the task; and one that reads events only. Runs are kept: what is
stopped goes on where it was. Nothing is learned at the greater lengths.
"""

import argparse
import json
from pathlib import Path

import record
from extrapolation import memup

from memup.task_presets import TASK_PRESETS

PRESET = "copy-10000"
# Fresh sequences at each number of blanks.
SEQUENCES = {10_000: 256, 100_000: 64, 1_000_000: 64}
_CELLS = ["--memory.size", "192", "--memory.timescale", "10000"]
_LINEAR = ["--memory.size", "128", "--memory.timescale", "1e6"]
# What the preset of scattered copy says of memory, rows and windows; how long to learn it does not.
_EVENTS = [
    word
    for name, value in TASK_PRESETS["scattered-copy-1000"]().items()
    if name.startswith(("memory.", "method.")) and name not in ("method.updates", "method.patience")
    for word in (f"--{name}", str(value))
]
MEMORIES: dict[str, list[str]] = {
    "amrl-max": [],
    "lstm, events": _EVENTS,
    "amrl-avg": _CELLS,
    "lstm": _CELLS,
    "gru": _CELLS,
    "rim": _CELLS,
    "s6": _LINEAR,
    "lru": _LINEAR,
    "ffm": _LINEAR,
    "gated-deltanet": _LINEAR,
    "fwp": ["--memory.size", "128"],
    "dnc": ["--memory.timescale", "10000"],
    "ntm": ["--memory.timescale", "10000"],
    "rmt": ["--memory.timescale", "10000"],
    "window-transformer": [],
}


def judge(memory: str, folder: Path) -> dict:
    """Train one memory, or take it as it is; return what it recalls at every length."""
    name, _, kind = memory.partition(", ")
    run, fields = folder / (name + kind), ["--memory", name, *MEMORIES[memory]]
    memup("train", PRESET, *fields, "--run-dir", str(run), "--quiet")
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    trained = [r for r in rows if r["phase"] == "memory"][-1]
    found = {"memory": memory, "train_s": round(rows[-1]["wall_s"], 1)}
    found["updates"] = trained["updates"]
    for blanks, count in SEQUENCES.items():
        words = ("--task", f"copy-{blanks}", "--episodes", str(count), "--json")
        result = json.loads(memup("eval", str(run), *words))
        found[f"at_{blanks}"] = {k: result[k] for k in ("episodes", "accuracy", "accuracy_ci95")}
    return found


def main() -> None:
    """Judge the memories that are not recorded yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", choices=MEMORIES, default=list(MEMORIES))
    parser.add_argument("--folder", type=Path, default=Path("runs/blanks"))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results = record.earlier("blanks") or []
    for memory in args.only:
        if memory not in [r["memory"] for r in results]:
            results.append(judge(memory, args.folder))
            print(json.dumps(results[-1]), flush=True)
            record.write("blanks", results)


if __name__ == "__main__":
    main()
