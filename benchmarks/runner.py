"""Run the cells of a suite, each in a fresh process, on processors of its own, within a time."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue
from typing import Any

from benchmarks import results_file
from benchmarks.suite import Cell, Suite

ROOT = Path(__file__).parents[1]
QUICK_S = 300.0


def run(suite: Suite, cells: list[Cell], again: bool = False, workers: int = 1) -> int:
    """Measure what is not recorded and say which rows miss what must hold.

    Args:
        suite: whose cells they are.
        cells: what is asked for.
        again: measure what is recorded anew.
        workers: cells at once, each on its share of the processors.

    Returns:
        0, or 1 where a cell failed or misses what must hold of it.
    """
    found = {cell.name: None if again else _recorded(cell) for cell in cells}
    missing = [cell for cell in cells if found[cell.name] is None]
    print(f"{suite.name}: {len(missing)} of {len(cells)} cells to measure", file=sys.stderr)
    for cell, figures in _measured(suite, missing, workers):
        found[cell.name] = figures
        print(json.dumps({**cell.labels, **figures}), flush=True)
        if not cell.quick:
            results_file.put(cell.row.file, cell.labels, figures)
    return _judge(cells, found)


def _recorded(cell: Cell) -> dict[str, Any] | None:
    """Return what is known of a cell; what failed or is void is measured again."""
    known = None if cell.quick else results_file.find(cell.row.file, cell.labels)
    return None if known is None or {"error", "void"} & known.keys() else known


def _judge(cells: list[Cell], found: dict[str, Any]) -> int:
    bad = 0
    for cell in cells:
        figures = found[cell.name]
        for what in cell.missed(figures) if not cell.quick or "error" in figures else []:
            print(f"MISSED {cell.name}: {what}", file=sys.stderr)
            bad = 1
    return bad


def _measured(
    suite: Suite, cells: list[Cell], workers: int
) -> Iterator[tuple[Cell, dict[str, Any]]]:
    """Yield cells with their figures as they end; begun in their order."""
    ours = sorted(os.sched_getaffinity(0))
    each = max(1, len(ours) // workers)
    free: Queue[set[int]] = Queue()
    for i in range(workers):
        free.put(set(ours[i * each : (i + 1) * each]) or set(ours))
    running: set[int] = set()
    with tempfile.TemporaryDirectory() as cache, ThreadPoolExecutor(workers) as pool:

        def one(cell: Cell) -> dict[str, Any]:
            mine = free.get()
            try:
                return measure(suite, cell, mine, cache, running)
            finally:
                free.put(mine)

        jobs = {pool.submit(one, cell): cell for cell in cells}
        try:
            for done in as_completed(jobs):
                yield jobs[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for group in list(running):
                _end(group)


def measure(
    suite: Suite, cell: Cell, cores: set[int], cache: str, running: set[int]
) -> dict[str, Any]:
    """Measure a cell in a process; what it leaves running is ended with it.

    Args:
        suite: says how.
        cell: what is measured.
        cores: processors that the process stays on.
        cache: folder; programs are compiled anew for the first seed of a row, as for a user.
        running: process groups that must be ended should this program be stopped.
    """
    about = results_file.here(len(cores))
    command = [sys.executable, "-m", "benchmarks", "cell", suite.name, cell.name]
    command += ["--quick"] * cell.quick + (["--rival", cell.rival] if cell.rival else [])
    limit, begin = (QUICK_S if cell.quick else cell.row.limit_s), time.perf_counter()
    labels = json.dumps([cell.row.file, cell.row.labels]).replace("/", "-")
    environment = {**os.environ, "XDG_CACHE_HOME": f"{cache}/{labels}"}
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        ) as child:
            running.add(child.pid)
            # Here and not in the child, which would have to be forked from many threads for it.
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(child.pid, cores)
            try:
                out, _ = child.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                return {"error": f"timed out after {limit:g} s", **about}
            finally:
                _end(child.pid)
                running.discard(child.pid)
        errors.seek(0)
        said = errors.read()
    if child.returncode:
        return {"error": said[-500:] or f"ended with {child.returncode}", **about}
    figures = json.loads(out.splitlines()[-1])
    return {"wall_s": round(time.perf_counter() - begin, 1), **about, **figures}


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
