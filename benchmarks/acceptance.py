"""Train presets from a new process and record what they reach, how long each phase takes.

    python benchmarks/acceptance.py --preset tmaze-1000 --seeds 0 1 2   (goes on where it stopped)
    python benchmarks/acceptance.py --env gym:cue_env:Cue-v0   (all defaults)

The compilation cache is empty at the first seed of a call and kept for the others, as for a user.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import pinned
import record

from memup.runs.rundir import commit

ROOT = Path(__file__).parents[1]


def run(what: list[str], seed: int, cache: str, pin: Callable[[], None]) -> dict:
    """Train one seed in a new process; return its figures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        command = [sys.executable, "-m", "memup", "train", *what, "--seed", str(seed)]
        paths = [str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]
        begin = time.perf_counter()
        errors = Path(folder) / "errors"
        with errors.open("w") as file:
            child = subprocess.Popen(
                [*command, "--run-dir", str(path), "--quiet"],
                stdout=subprocess.DEVNULL,
                stderr=file,
                preexec_fn=pin,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                    "XDG_CACHE_HOME": cache,
                },
            )
            anonymous = Anonymous(child.pid)
            cores = len(os.sched_getaffinity(child.pid))
            # Of this child alone: the counter of all children keeps the largest one's peak.
            _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
        if status:
            return {"seed": seed, "error": errors.read_text()[-500:]}
        rows = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
        evals = [json.loads(line) for line in (path / "eval.jsonl").read_text().splitlines()]
    peaks = {
        "peak_rss_mib": usage.ru_maxrss // 1024,
        "peak_anonymous_mib": anonymous.peak_mib,
    }
    about = {"seed": seed, "wall_s": round(wall, 1), "cores": cores, **peaks}
    about |= {"machine": record.where(), "commit": (commit() or "")[:7]}
    return {**about, **_figures(rows), **_result(evals[-1])}


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


def cells(
    name: str,
    rows: dict[tuple[str, ...], list[str]],
    keys: tuple[str, ...],
    args: argparse.Namespace,
    /,
    **about: object,
) -> None:
    """Run every row with every seed and record each at once.

    What is recorded is not run again, unless that is asked for.

    Args:
        name: of the result file.
        rows: what a row is called, a value for each of `keys`, to the words after `memup train`.
        keys: names of these values in the results.
        args: of the parser below. A row's compilation cache is empty before its first seed.
        **about: what else the file says.
    """
    results = [r for r in record.earlier(name) or [] if "error" not in r]
    with tempfile.TemporaryDirectory() as cache:

        def one(cell: dict, pin: Callable[[], None]) -> dict:
            labels = tuple(cell[key] for key in keys)
            return run(rows[labels], cell["seed"], f"{cache}/{'-'.join(labels)}", pin)

        asked = [
            {**dict(zip(keys, labels, strict=True)), "seed": seed}
            for labels in rows
            for seed in args.seeds
        ]
        missing = [c for c in asked if args.again or _place(results, c) is None]
        each = len(os.sched_getaffinity(0)) // args.workers
        for cell, found in pinned.apart(missing, one, args.workers, each):
            at = _place(results, cell)
            if at is None:
                results.append({**cell, **found})
            else:
                results[at] = {**cell, **found}
            print(json.dumps({**cell, **found}), flush=True)
            record.write(name, results, **about)


def _place(results: list[dict], cell: dict) -> int | None:
    """Return where a cell is among the results, if it is."""
    return next((i for i, r in enumerate(results) if r.items() >= cell.items()), None)


def parser(names: Iterable[str] | None = None, what: str = "rows") -> argparse.ArgumentParser:
    """Return what reads which of the named rows to run, with which seeds, how many at once."""
    made = argparse.ArgumentParser()
    made.add_argument("--seeds", type=int, nargs="+", default=[0])
    if names is not None:
        names = list(names)
        made.add_argument("--only", nargs="+", choices=names, default=names, help=what)
    made.add_argument("--workers", type=int, default=1, help="runs at once, each on its own cores")
    made.add_argument("--again", action="store_true", help="measure what is recorded anew")
    made.add_argument("--json", action="store_true", help="taken for granted")
    return made


def main() -> None:
    """Run the seeds that are not recorded yet."""
    reads = parser()
    what = reads.add_mutually_exclusive_group(required=True)
    what.add_argument("--preset")
    what.add_argument("--env", help="without a preset: all defaults")
    args = reads.parse_args()
    words = [args.preset] if args.preset else ["--env", args.env]
    name = f"acceptance-{words[-1].replace(':', '-')}"
    command = f"memup train {' '.join(words)} --seed N"
    cells(name, {(): words}, (), args, command=command)


if __name__ == "__main__":
    main()
