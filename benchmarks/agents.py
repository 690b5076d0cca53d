"""Agents beside MemUP: the same budget of environment steps for all.

    python benchmarks/agents.py                (Noisy T-Mazes of growing length)
    python benchmarks/agents.py --table search (the rates tried, at two lengths)
    python benchmarks/agents.py --table second (mazes without an end, and the memory game)
    python benchmarks/agents.py --table cartpole (each agent's preset, speeds shown and hidden)
    python benchmarks/agents.py --quick        (length 10 only, ten minutes at most)
    python benchmarks/agents.py --picture      (nothing is measured)

Each goes on where it stopped: a cell that is recorded is not run again. A baseline's seeds run side
by side, by vmap; MemUP's one after the other, in the same time. `--workers N` runs N cells at once,
each on `--cores` processors of its own.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import agents_baseline
import agents_memup
import agents_picture
import numpy as np
import pinned
import record
from agents_systems import (
    BUDGET,
    LENGTHS,
    OTHERS,
    SEARCHED,
    SYSTEMS,
    TRIED,
    longest,
    spec_elsewhere,
    spec_of,
    window,
)

from memup.evaluation.agent import interval
from memup.runs.rundir import commit
from memup.specs.presets import preset
from memup.specs.presets.agents import CARTPOLE, CARTS

LIMIT_S = 600.0
# All cells together. A cell may take longer than its share, as a call is not interrupted; what is
# left is shared by those that follow.
QUICK_S = 540.0
# A cell that has less is left for the next time.
LEAST_S = 100.0
NAMED = ("system", "env", "tried")


def asked(table: str, systems: list[str], lengths: list[int]) -> list[dict[str, Any]]:
    """Return the cells of a table: what is trained, where, and which setting is tried."""
    if table == "cartpole":
        return [{"system": s, "env": env, "tried": {}} for env in CARTS for s in CARTPOLE]
    if table == "second":
        return [{"system": s, "env": env, "tried": {}} for env in OTHERS for s in systems]
    return [
        {"system": s, "env": f"tmaze-{n}", "length": n, "tried": tried}
        for n in lengths
        for s in systems
        for tried in (_values(s) if table == "search" else [{}])
    ]


def _values(system: str) -> list[dict[str, float]]:
    return [{name: v} for name, values in TRIED[system].items() for v in values]


def measure(cell: dict[str, Any], seeds: list[int], limit_s: float) -> dict[str, Any]:
    """Train and judge one system in one environment."""
    if cell["env"] in CARTS:
        spec = preset(f"{cell['env']}-{cell['system']}", **cell["tried"])
        budget = spec["agent.steps"]
    elif "length" in cell:
        spec = spec_of(cell["system"], cell["length"], cell["tried"])
        budget = BUDGET[cell["length"]]
    else:
        spec, budget = spec_elsewhere(cell["system"], cell["env"]), OTHERS[cell["env"]]
    begin = time.perf_counter()
    if spec["training"] == "end-to-end":
        end = begin + limit_s
        found = agents_baseline.run(spec, seeds, budget, end, longest(cell["env"]))
    else:
        found = agents_memup.run(spec, seeds, budget, begin + limit_s)
    success = np.array([s for s in found["success"] if s is not None])
    low, high = interval(success) if len(success) else (0.0, 1.0)
    return {
        **cell,
        "seeds": seeds,
        "window": window(spec),
        "budget": budget,
        **found,
        "success_rate": float(success.mean()) if len(success) else None,
        "success_ci95": [max(low, 0.0), min(high, 1.0)],
        "wall_s": round(time.perf_counter() - begin, 1),
        "limit_s": round(limit_s),
        "machine": record.where(),
        "commit": commit()[:7],
        "processors": len(os.sched_getaffinity(0)),
    }


def apart(cells: list[dict], args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure several cells at once, each in a process and on processors of its own."""
    end = time.perf_counter() + args.total

    def one(cell: dict, pin: Callable[[], None]) -> dict[str, Any] | None:
        limit = min(args.limit, end - time.perf_counter())
        if limit < LEAST_S:
            return None
        command = [sys.executable, __file__, "--cell", json.dumps(cell), "--limit", str(limit)]
        command += ["--seeds", *map(str, args.seeds)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, preexec_fn=pin)
        return json.loads(ended.stdout.splitlines()[-1]) if ended.returncode == 0 else None

    # The longest first, so that none is left over at the end.
    cells = sorted(cells, key=lambda c: -c.get("length", 0))
    for _, row in pinned.apart(cells, one, args.workers, args.cores):
        if row:
            yield row


def together(cells: list[dict], args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Measure cell after cell, here."""
    end = time.perf_counter() + args.total
    for i, cell in enumerate(cells):
        left = end - time.perf_counter()
        yield measure(
            cell, args.seeds, min(args.limit, left / (len(cells) - i if args.quick else 1))
        )


def main() -> None:
    """Run the cells that are not recorded yet."""
    args = arguments()
    if args.picture:
        agents_picture.write()
        return
    if args.cell:
        print(json.dumps(measure(json.loads(args.cell), args.seeds, args.limit)))
        return
    table = "quick" if args.quick else args.table
    lengths = args.lengths or {"search": SEARCHED, "quick": (10,)}.get(table, LENGTHS)
    name = "agents" if table == "talk" else f"agents-{table}"
    results: list[dict] = list(record.earlier(name) or [])  # type: ignore[call-overload]
    known = [[r[n] for n in NAMED] for r in results]
    cells = [c for c in asked(table, args.only, lengths) if [c[n] for n in NAMED] not in known]
    for row in (apart if args.workers > 1 else together)(cells, args):
        results.append(row)
        print(json.dumps(row), flush=True)
        record.write(name, results, command=f"python benchmarks/agents.py --table {table}")
    if table == "talk":
        agents_picture.write()


def arguments() -> argparse.Namespace:
    """Return the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", choices=("talk", "search", "second", "cartpole"), default="talk")
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--lengths", type=int, nargs="+", choices=LENGTHS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds a cell")
    parser.add_argument("--total", type=float, default=math.inf, help="seconds, all cells")
    parser.add_argument("--quick", action="store_true", help="length 10, ten minutes in all")
    parser.add_argument("--picture", action="store_true", help="draw what is recorded")
    parser.add_argument("--workers", type=int, default=1, help="cells at once")
    parser.add_argument("--cores", type=int, default=2, help="processors of each worker")
    parser.add_argument("--cell", help="JSON of one cell, which is measured and printed")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.total = QUICK_S if args.quick else args.total
    return args


if __name__ == "__main__":
    main()
