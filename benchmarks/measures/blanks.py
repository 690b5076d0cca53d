"""Train a memory to copy over 10,000 blanks, then judge it over 100,000 and a million.

Nothing is learned at the greater lengths.
"""

import json
import math
import tempfile
from pathlib import Path

from benchmarks.measures.programs import memup
from benchmarks.measures.training import QUICK
from benchmarks.suite import Cell
from benchmarks.words import changed


def judge(cell: Cell) -> dict:
    """Train one memory; return what it recalls at every length."""
    given, sequences = cell.row.spec["words"], cell.row.spec["sequences"]
    if cell.quick:
        quick = {n: v for n, v in QUICK.items() if not n.startswith("agent")}
        given, sequences = changed(given, {**quick, "task": "copy-100"}), {"200": 4}
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        memup("train", *given, "--run-dir", str(run), "--quiet")
        found = training(run)
        for blanks, count in sequences.items():
            words = ("--task", f"copy-{blanks}", "--episodes", str(count), "--json")
            result = json.loads(memup("eval", str(run), *words))
            kept = {k: result[k] for k in ("episodes", "accuracy", "accuracy_ci95")}
            found[f"at_{blanks}"] = kept
    return found


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
