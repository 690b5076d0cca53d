"""Train by `memup train` in a new process: what it reaches, and how long each phase takes."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.suite import Cell
from benchmarks.words import changed

ROOT = Path(__file__).parents[2]
QUICK = {
    "method.updates": 20,
    "detect.updates": 20,
    "collect.episodes": 64,
    "agent.steps": 4096,
    "evaluate.episodes": 16,
}


def train(cell: Cell) -> dict:
    """Train one seed; return its figures. The words after `memup train` are the row's spec."""
    words = changed(cell.row.spec, QUICK) if cell.quick else list(cell.row.spec)
    seed = [] if cell.seed is None else ["--seed", str(cell.seed)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        command = [sys.executable, "-m", "memup", "train", *words, *seed]
        # tests/cue_env.py is an environment of Gymnasium, as a user would bring it.
        paths = [str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
        begin = time.perf_counter()
        child = subprocess.Popen(
            [*command, "--run-dir", str(path), "--quiet"],
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        anonymous = Anonymous(child.pid)
        # Of this child alone: the counter of all children keeps the largest one's peak.
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        if status:
            raise SystemExit(1)
        rows = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        stored = sum(f.stat().st_size for f in (path / "store").rglob("*.npy"))
        evals = [json.loads(line) for line in (path / "eval.jsonl").read_text().splitlines()]
    peaks = {
        "peak_rss_mib": usage.ru_maxrss // 1024,
        "peak_anonymous_mib": anonymous.peak_mib,
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "store_mib": stored >> 20,
    }
    return {"wall_s": round(wall, 1), **peaks, **_figures(rows), **_result(evals[-1])}


class Anonymous(threading.Thread):
    """Watches how much memory of its own a process has: pages of files do not count.

    Attributes:
        peak_mib: the most that was seen, several times a second.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.status, self.peak_mib = Path(f"/proc/{pid}/status"), 0
        self.start()

    def run(self) -> None:
        """Look until the process has gone."""
        while True:
            try:
                lines = self.status.read_text().splitlines()
            except OSError:
                return
            sizes = [line.split()[1] for line in lines if line.startswith("RssAnon")]
            if not sizes:
                return
            self.peak_mib = max(self.peak_mib, int(sizes[0]) // 1024)
            time.sleep(0.2)


def _figures(rows: list[dict]) -> dict:
    phases, ends, compiled = {}, {}, {}
    before = 0.0
    for row in rows:
        ends[row["phase"]] = row["wall_s"]
        compiled[row["phase"]] = row.get("compile_s", 0.0)
    for phase, end in ends.items():
        phases[phase], before = round(end - before, 1), end
    last = {row["phase"]: row for row in rows}
    acting = last.get("policy") or last.get("joint") or {}
    updates = (last.get("memory") or last.get("joint") or {}).get("updates")
    return {
        "phases_s": phases,
        "compile_s": round(sum(compiled.values()), 1),
        "memory_updates": updates,
        "policy_env_steps": acting.get("env_steps"),
        "collected_env_steps": last.get("collect", {}).get("env_steps"),
        "curve": _curve(rows),
    }


def _curve(rows: list[dict]) -> dict[str, list]:
    """Return how the memory learned: 40 points at most, the last among them.

    Held-out episodes are asked at every fifth row; None elsewhere.
    """
    learned = [r for r in rows if r["phase"] in ("memory", "joint")]
    learned = learned[:: -max(1, -(-len(learned) // 40))][::-1]
    names = ("updates", "wall_s", "loss", "held_out_loss")
    return {n: [float(f"{r[n]:.4g}") if n in r else None for r in learned] for n in names}


def _result(row: dict) -> dict:
    """Return what the evaluation of an agent or of a supervised task says."""
    if "return_mean" in row:
        names = ("episodes", "success_rate", "success_ci95", "return_mean")
        return {n: row.get(n) for n in names}
    task = ("episodes", "accuracy", "accuracy_ci95", "mse", "mse_ci95", "loss", "loss_ci95")
    return {n: row[n] for n in task if n in row}
