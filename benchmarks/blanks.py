"""Train every memory to copy over 10,000 blanks, then judge it over 100,000 and a million.

    python benchmarks/blanks.py [--only MEMORY ...] [--folder runs/blanks]

Each memory twice, on sequences that all have ten thousand blanks: reading every step, with the
settings of the preset `copy-1000`, about as many numbers in its state and time scales as long as
the task; and reading events only (`, events`), as the preset `copy-10000` does. Runs are kept: what
is stopped goes on where it was. Nothing is learned at the greater lengths.
"""

import argparse
import json
import math
from pathlib import Path

import record
from extrapolation import memup

EVERY_STEP = ["copy-1000", "--task", "copy-10000", "--collect.episodes", "10000"]
# A single step of some memories is slow; of what is not learned the best model is judged.
EVERY_STEP += ["--method.burn_in", "0", "--method.patience", "20"]
EVENTS = ["copy-10000"]
# Fresh sequences at each number of blanks, and for what is slow.
SEQUENCES = {10_000: 256, 100_000: 64, 1_000_000: 64}
FEW = {10_000: 64, 100_000: 16, 1_000_000: 4}
_CELLS = ["--memory.size", "192", "--memory.timescale", "10000"]
_LINEAR = ["--memory.size", "128", "--memory.timescale", "1e6"]
_SLOTS = ["--memory.timescale", "10000"]
_SHORT = ["--method.updates", "1500"]
READING_ALL: dict[str, list[str]] = {
    "amrl-max": [],
    "amrl-avg": _CELLS,
    "lstm": _CELLS,
    "gru": _CELLS,
    "rim": _CELLS,
    "s6": _LINEAR,
    "lru": _LINEAR,
    "ffm": _LINEAR,
    "gated-deltanet": _LINEAR,
    "fwp": ["--memory.size", "128"],
    "dnc": _SLOTS,
    "ntm": _SLOTS,
    "rmt": _SLOTS,
    "window-transformer": [],
    "gtrxl": _SHORT,
    "bigbird": _SHORT,
    "rnn": [],
}
# A Transformer that reads single steps is slow, and learns from fewer updates.
TRANSFORMERS = ("window-transformer", "gtrxl", "bigbird")
MEMORIES = {
    **{name: [*EVERY_STEP, *fields] for name, fields in READING_ALL.items()},
    **{
        f"{name}, events": [*EVENTS, *(_SHORT if name in TRANSFORMERS else [])]
        for name in READING_ALL
    },
}


def training(run: Path) -> dict:
    """Return the time and the updates of a run, and what is left to learn, in nats.

    The loss of its last windows, a few of a sequence; and the lowest loss over held-out sequences
    from start to end, where the memory must hold what it reads over all blanks.
    """
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    trained = [r for r in rows if r["phase"] == "memory"]
    return {
        "train_s": round(rows[-1]["wall_s"], 1),
        "updates": trained[-1]["updates"],
        "loss": round(sum(r["loss"] for r in trained[-10:]) / len(trained[-10:]), 4),
        "held_out_loss": round(min(r.get("held_out_loss", math.inf) for r in trained), 4),
    }


def judge(memory: str, folder: Path) -> dict:
    """Train one memory, or take it as it is; return what it recalls at every length."""
    name, _, kind = memory.partition(", ")
    run = folder / (name + kind)
    memup("train", *MEMORIES[memory], "--memory", name, "--run-dir", str(run), "--quiet")
    found = {"memory": memory, "machine": record.where(), **training(run)}
    for blanks, count in (FEW if memory in ("gtrxl", "bigbird") else SEQUENCES).items():
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
