"""MemUP's seeds one after the other: its store lies on the host."""

import time

from memup.build.job import build
from memup.phases.fit import fit
from memup.specs.spec import RunSpec

GOOD = 0.95


def run(spec: RunSpec, seeds: list[int], budget: int, deadline: float) -> dict:
    """Train each seed until it succeeds, its steps are used up or its time is over.

    Args:
        spec: of the run.
        seeds: each gets the same share of the time.
        budget: environment steps of a seed, collected ones and those of the policy.
        deadline: on the clock of `time.perf_counter`.
    """
    share = (deadline - time.perf_counter()) / len(seeds)
    rows = [_seed(spec.replace({"seed": seed}), budget, share) for seed in seeds]
    return {
        "success": [row["success"] for row in rows],
        "returns": [row["returns"] for row in rows],
        "env_steps": max(row["env_steps"] for row in rows),
        "steps_to_95": [row["steps"] for row in rows],
        "updates_to_95": [row["steps"] and row["updates"] for row in rows],
        "wall_to_95_s": [row["wall"] for row in rows],
        "updates": max(row["updates"] for row in rows),
        "compile_s": round(sum(row["compile"] for row in rows), 1),
        "stopped": "time" if any(row["late"] for row in rows) else "budget or learned",
    }


def _seed(spec: RunSpec, budget: int, share: float) -> dict:
    begin = time.perf_counter()
    row = {
        "success": None,
        "returns": None,
        "steps": None,
        "wall": None,
        "updates": 0,
        "late": False,
    }
    collected = acted = 0
    compiled: dict[str, float] = {}
    for event in fit(build(spec)):
        wall, metrics = time.perf_counter() - begin, event.metrics
        compiled[event.phase] = metrics.get("compile_s", 0.0)
        row["updates"] = metrics.get("updates", row["updates"])
        if event.phase == "collect":
            collected = metrics["env_steps"]
        if event.phase in ("policy", "joint"):
            acted = metrics["env_steps"]
            if metrics.get("success_rate", 0.0) >= GOOD and row["steps"] is None:
                row |= {"steps": collected + acted, "wall": round(wall, 1)}
        if event.phase == "evaluate" and "eval" in metrics:
            row["success"] = round(metrics["eval"]["success_rate"], 4)
            row["returns"] = round(metrics["eval"]["return_mean"], 4)
            break
        if wall > share or collected + acted > budget:
            row["late"] = wall > share
            row["success"] = metrics.get("success_rate")
            break
    return {**row, "env_steps": collected + acted, "compile": sum(compiled.values())}
