"""Agents beside MemUP: the same budget of environment steps and the same time for all.

A baseline's seeds run side by side, by vmap; MemUP's one after the other, in the same time.
"""

import time

import numpy as np

from benchmarks.measures import agents_baseline, agents_memup
from benchmarks.suite import Cell
from memup.evaluation.intervals import interval
from memup.specs.presets import preset
from memup.specs.spec import RunSpec, make_spec


def measure(cell: Cell) -> dict:
    """Train and judge one system in one environment, all seeds."""
    settings = cell.row.spec
    seeds, limit_s = ([0], 40.0) if cell.quick else (settings["seeds"], settings["limit_s"])
    spec = _spec(settings)
    begin = time.perf_counter()
    budget, end = spec["agent.steps"], begin + limit_s
    if spec["training"] == "end-to-end":
        found = agents_baseline.run(spec, seeds, budget, end, settings["longest"])
    else:
        found = agents_memup.run(spec, seeds, budget, end)
    success = np.array([s for s in found["success"] if s is not None])
    low, high = interval(success) if len(success) else (0.0, 1.0)
    return {
        "seeds": seeds,
        "window": window(spec),
        "budget": budget,
        **found,
        "success_rate": float(success.mean()) if len(success) else None,
        "success_ci95": [max(low, 0.0), min(high, 1.0)],
        "wall_s": round(time.perf_counter() - begin, 1),
        "limit_s": round(limit_s),
    }


def _spec(settings: dict) -> RunSpec:
    if settings["preset"]:
        return preset(settings["preset"], **settings["fields"])
    return make_spec(settings["fields"])


def window(spec: RunSpec) -> int:
    """Return the steps that a gradient passes back."""
    if spec["training"] != "end-to-end":
        return spec["method.window"]
    if "agent.burn_in" in spec:
        return spec["agent.sequence"] - spec["agent.burn_in"]
    return spec["agent.rollout"] or 128
