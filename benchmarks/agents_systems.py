"""What is compared in the table of agents: settings, budgets and the values tried for each."""

from typing import Any

from memup.specs.presets.agents import CARTS
from memup.specs.spec import RunSpec, make_spec

LENGTHS = (10, 50, 100, 250, 1000)
# Steps of a seed at most, all phases together. The long mazes get more, as an episode is longer.
BUDGET = {10: 2_000_000, 50: 2_000_000, 100: 2_000_000, 250: 4_000_000, 1000: 4_000_000}
# Five corridors of 50 steps; three pairs of cards, which need a memory (four cards do not).
OTHERS = {"tmaze-endless-5-50": 2_000_000, "memory-game-6": 2_000_000}
LONGEST = {"tmaze-endless-5-50": 5 * 61 + 1, "memory-game-6": 64, **dict.fromkeys(CARTS, 501)}
# What the longest episode has beyond the maze's nominal length: the corridor varies by 0 to 10.
MORE_STEPS = 11
SEARCHED = (10, 50)
RATE = "agent.learning_rate"

_ALONE = {"training": "end-to-end", "agent.hidden": 64}
_MEMUP = {"collect.episodes": 1000, "agent.hidden": 32, "agent.epochs": 2}
# The search over TRIED, at the lengths SEARCHED, chose the rates (docs/results.md).
SYSTEMS: dict[str, dict[str, Any]] = {
    "ppo-lstm": {"agent": "ppo", RATE: 3e-3, **_ALONE},
    "impala": {"agent": "impala", **_ALONE},
    "impala-st": {"agent": "impala-st", RATE: 1e-3, **_ALONE},
    # Sequences as in the paper, but cut at multiples of 80: half of 80 held no whole maze of 50.
    "r2d2": {
        "agent": "r2d2",
        **_ALONE,
        "agent.sequence": 120,
        "agent.burn_in": 40,
        "agent.rollout": 160,
    },
    "amrl": {"agent": "ppo", "memory": "amrl-max", RATE: 3e-3, **_ALONE},
    "merlin": {
        "agent": "merlin",
        "training": "end-to-end",
        RATE: 4e-3,
        "agent.policy_rate": 4e-3,
    },
    "memup": {"training": "two-phase", **_MEMUP},
    "memup-joint": {
        **_MEMUP,
        "training": "joint",
        "collect.episodes": 128,
        "method.order": "jump",
        "method.learning_rate": 1e-2,
    },
}
TRIED: dict[str, dict[str, tuple[float, ...]]] = {
    "ppo-lstm": {RATE: (3e-4, 1e-3, 3e-3)},
    "impala": {RATE: (1e-3, 3e-3, 1e-2)},
    "impala-st": {RATE: (1e-3, 3e-3, 1e-2)},
    "r2d2": {RATE: (3e-4, 1e-3, 3e-3)},
    "amrl": {RATE: (3e-4, 1e-3, 3e-3)},
    "merlin": {RATE: (1e-3, 2e-3, 4e-3)},
    "memup": {"method.learning_rate": (1e-3, 3e-3, 1e-2)},
    "memup-joint": {"method.learning_rate": (1e-3, 3e-3, 1e-2)},
}


def spec_of(system: str, length: int, more: dict[str, Any]) -> RunSpec:
    """Return the run of a system in the maze of a length."""
    fields = {"env": f"tmaze-{length}", **SYSTEMS[system]}
    whole = -(-(length + MORE_STEPS) // 128) * 128
    if system in ("amrl", "memup", "memup-joint"):
        # AMRL's own setting: back-propagation through the whole episode. MemUP's policy: a reward
        # in each rollout, as all copies march in step.
        fields["agent.rollout"] = whole
    if system == "memup-joint" and length < 20:
        # Jumping needs episodes of at least a window.
        fields["method.order"] = "staggered"
    if system == "merlin":
        # A row for each step of an episode.
        fields["agent.slots"] = max(length + MORE_STEPS, 32)
    if system == "merlin" and RATE in more:
        more = {**more, "agent.policy_rate": more[RATE]}
    return make_spec(
        {**fields, "agent.steps": BUDGET[length], "agent.stop_at_success": 0.995, **more}
    )


def spec_elsewhere(system: str, env: str) -> RunSpec:
    """Return the run of a system in one of OTHERS."""
    fields = {"env": env, **SYSTEMS[system]}
    if system in ("amrl", "memup", "memup-joint"):
        fields["agent.rollout"] = 384 if env.startswith("tmaze") else 128
    if system == "merlin":
        fields["agent.slots"] = 320 if env.startswith("tmaze") else 32
    if system.startswith("memup") and env.startswith("tmaze"):
        # A hint is worth nothing after its own junction.
        fields["method.selector"] = "nearest"
    if env.startswith("memory-game"):
        # An action's worth shows within a few flips (docs/experiments.md).
        fields["agent.gamma"] = 0.8
        if system == "memup-joint":
            fields["method.order"] = "staggered"  # a game may be shorter than a window
    return make_spec({**fields, "agent.steps": OTHERS[env], "agent.stop_at_success": 0.995})


def longest(env: str) -> int:
    """Return the steps that an episode takes at most."""
    return LONGEST.get(env) or int(env.rpartition("-")[2]) + MORE_STEPS + 1


def window(spec: RunSpec) -> int:
    """Return the steps that a gradient passes back."""
    if spec["training"] != "end-to-end":
        return spec["method.window"]
    if "agent.burn_in" in spec:
        return spec["agent.sequence"] - spec["agent.burn_in"]
    return spec["agent.rollout"] or 128
