"""Agents beside MemUP on Noisy T-Mazes of growing length: the same budget of environment steps.

    python benchmarks/agents.py [--quick] [--only NAME ...] [--lengths N ...] [--seeds 0 1 2]
    python benchmarks/agents.py --picture     (nothing is measured)

Goes on where it stopped: a cell (system, length) that is recorded is not run again. A baseline's
seeds run side by side, by vmap; MemUP's one after the other, in the same time. `--quick` takes ten
minutes at most and has a result file of its own.
"""

import argparse
import json
import time
from typing import Any

import agents_baseline
import agents_memup
import agents_picture
import numpy as np
import record

from memup.agents.table import AGENTS
from memup.config import RunSpec, make_spec
from memup.evaluation import interval

LENGTHS = (10, 50, 100, 250, 1000)
# Steps of a seed at most, all phases together. The long mazes get more, as an episode is longer.
BUDGET = {10: 2_000_000, 50: 2_000_000, 100: 2_000_000, 250: 4_000_000, 1000: 4_000_000}
LIMIT_S = 600.0
# All cells together. A cell may take longer than its share, as a call is not interrupted; what is
# left is shared by those that follow.
QUICK_S = 540.0
ALONE = {"training": "end-to-end", "agent.hidden": 64}
MEMUP = {"collect.episodes": 1000, "agent.hidden": 32, "agent.epochs": 2, "agent.rollout": 128}
# Chosen by the search at lengths 10 and 50 that docs/experiments.md records.
SYSTEMS: dict[str, dict[str, Any]] = {
    "ppo-lstm": {"agent": "ppo", **ALONE},
    "a2c": {"agent": "a2c", **ALONE},
    "impala": {"agent": "impala", **ALONE},
    "impala-st": {"agent": "impala-st", **ALONE},
    "r2d2": {"agent": "r2d2", **ALONE},
    "amrl": {"agent": "ppo", "memory": "amrl-max", **ALONE},
    "merlin": {"agent": "merlin", "training": "end-to-end"},
    "memup": {"training": "two-phase", **MEMUP},
    "memup-joint": {
        **MEMUP,
        "training": "joint",
        "collect.episodes": 128,
        "method.order": "jump",
    },
}


def spec_of(system: str, length: int) -> RunSpec:
    """Return the run of a cell."""
    fields = {"env": f"tmaze-{length}", **SYSTEMS[system]}
    if system == "amrl":
        # Its own setting: back-propagation through the whole episode.
        fields["agent.rollout"] = -(-(length + 11) // 128) * 128
    if system == "memup-joint":
        if length < 20:
            # Jumping needs episodes of at least a window.
            fields["method.order"] = "staggered"
        fields["agent.rollout"] = -(-(length + 11) // 128) * 128
    return make_spec({**fields, "agent.steps": BUDGET[length], "agent.enough": 0.995})


def window(spec: RunSpec) -> int:
    """Return the steps that a gradient passes back."""
    if spec["training"] != "end-to-end":
        return spec["method.window"]
    if "agent.burn_in" in spec:
        return spec["agent.sequence"] - spec["agent.burn_in"]
    return spec["agent.rollout"] or 128


def cell(system: str, length: int, seeds: list[int], limit_s: float) -> dict:
    """Train and judge one system at one length."""
    spec, begin = spec_of(system, length), time.perf_counter()
    run = agents_baseline.run if spec["training"] == "end-to-end" else agents_memup.run
    found = run(spec, seeds, BUDGET[length], begin + limit_s)
    success = np.array([s for s in found["success"] if s is not None])
    low, high = interval(success) if len(success) else (0.0, 1.0)
    return {
        "system": system,
        "length": length,
        "seeds": seeds,
        "window": window(spec),
        "budget": BUDGET[length],
        **found,
        "success_rate": float(success.mean()) if len(success) else None,
        "success_ci95": [max(low, 0.0), min(high, 1.0)],
        "wall_s": round(time.perf_counter() - begin, 1),
    }


def main() -> None:
    """Run the cells that are not recorded yet."""
    parser = argparse.ArgumentParser()
    names = [name for name, fields in SYSTEMS.items() if fields.get("agent", "ppo") in AGENTS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--lengths", type=int, nargs="+", choices=LENGTHS, default=LENGTHS)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds a cell")
    parser.add_argument("--quick", action="store_true", help="length 10, ten minutes in all")
    parser.add_argument("--picture", action="store_true", help="draw what is recorded")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.picture:
        agents_picture.write()
        return
    name, lengths, limit = "agents", args.lengths, args.limit
    if args.quick:
        name, lengths = "agents-quick", [10]
    end = time.perf_counter() + QUICK_S
    results: list[dict] = list(record.earlier(name) or [])  # type: ignore[call-overload]
    known = {(r["system"], r["length"]) for r in results}
    asked = [(system, length) for length in lengths for system in args.only]
    missing = [one for one in asked if one not in known]
    for i, (system, length) in enumerate(missing):
        if args.quick:
            limit = (end - time.perf_counter()) / (len(missing) - i)
        results.append(cell(system, length, args.seeds, limit))
        print(json.dumps(results[-1]), flush=True)
        record.write(name, results, command="memup bench agents", limit_s=limit)
    if not args.quick:
        agents_picture.write()


if __name__ == "__main__":
    main()
