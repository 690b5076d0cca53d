"""Presets of agents that train their own memory: the memory game, and cart and pole."""

from collections.abc import Callable, Mapping
from typing import Any

Preset = Callable[[], Mapping[str, Any]]


def _memory_game(cards: int, steps: int, seconds: int) -> Preset:
    """Return the preset of MERLIN on the memory game with so many cards."""

    def make() -> Mapping[str, Any]:
        return {
            "env": f"memory-game-{cards}",
            "training": "end-to-end",
            "agent": "merlin",
            "memory.size": 32,
            # What a flip was worth shows within a few flips.
            "agent.gamma": 0.8,
            "agent.slots": 2 * cards,
            "agent.rollout": 4 * cards,
            "agent.steps": steps,
            "agent.stop_at_success": 2.0,
        }

    make.__doc__ = f"""The memory game with {cards} cards, by MERLIN.

    $ memup train memory-game-{cards}-merlin

    {seconds} seconds on two busy cores; mean return about 2, and no greedy game above 3N/2 flips.
    """
    return make


# An action's worth shows within a second, and long returns are noise beside it.
_NEAR = {"agent.gamma": 0.98}
_TRACE = {**_NEAR, "agent.gae_lambda": 0.8}
# Returns reach 50 and IMPALA learns them as they are: the value's squared error would leave the
# policy no share of the gradient.
_ONCE = {**_TRACE, "agent.vf_coef": 0.01}
# Its advantages are not scaled: beside rewards of 1 a bonus of 0.01 keeps no policy open.
_OPEN = {"agent.rollout": 32, "agent.minibatches": 2, "agent.policy_lag": 2}
_ADAM = {"agent.optimiser": "adam", "agent.ent_coef": 0.03, "agent.learning_rate": 1e-3}
_RMSPROP = {"agent.ent_coef": 0.1, "agent.learning_rate": 5e-4}
# More updates for each step, as each is of fewer and shorter sequences.
_SHORT = {"agent.rollout": 32, "agent.sequence": 24, "agent.burn_in": 8, "agent.batch_size": 32}
CARTS = ("cartpole", "cartpole-hidden")
CARTPOLE: dict[str, dict[str, Any]] = {
    "ppo": _TRACE,
    "a2c": _TRACE,
    "impala": {**_ONCE, **_OPEN, **_ADAM},
    "impala-st": {**_ONCE, **_OPEN, **_RMSPROP},
    "r2d2": {**_NEAR, **_SHORT},
    "merlin": {**_TRACE, "agent.ent_coef": 0.1, "agent.policy_rate": 5e-4},
}


def _cartpole(env: str, agent: str) -> Preset:
    """Return the preset of an agent on cart and pole."""

    def make() -> Mapping[str, Any]:
        return {
            "env": env,
            "training": "end-to-end",
            "agent": agent,
            "agent.steps": 2_000_000,
            # Nine of ten recent episodes last to the end, though actions are still drawn.
            "agent.stop_at_success": 0.9,
            **CARTPOLE[agent],
        }

    shown = "speeds hidden" if env.endswith("hidden") else "all shown"
    make.__doc__ = f"""Cart and pole, {shown}, by {agent}: the cheap check that nothing is broken.

    $ memup train {env}-{agent}

    Steps, time and return: docs/results.md, "Cart and pole".
    """
    return make


def _pendulum(agent: str, own: Mapping[str, Any]) -> Preset:
    """Return the preset of an agent on the pendulum."""

    def make() -> Mapping[str, Any]:
        return {
            "env": "pendulum",
            "training": "end-to-end",
            "memory": "none",
            "agent": agent,
            "agent.steps": 2_000_000,
            **own,
        }

    make.__doc__ = f"""Pendulum swing-up, real-valued torques, by {agent}.

    $ memup train pendulum-{agent}

    Steps, time and return: docs/results.md, "Pendulum".
    """
    return make


def _recall_multi(agent: str) -> Preset:
    """Return the preset of an agent on the recall of several symbols."""

    def make() -> Mapping[str, Any]:
        return {
            "env": "recall-multi-10",
            "training": "end-to-end",
            "agent": agent,
            "agent.steps": 2_000_000,
            "agent.rollout": 36,
            "agent.stop_at_success": 0.98,
        }

    make.__doc__ = f"""Three symbols to be repeated after ten steps, by {agent}.

    $ memup train recall-multi-10-{agent}

    One action has three parts; a random policy is right in one of four.
    """
    return make


# A swing is planned over a second or two: the time that a discount of 0.95 looks ahead.
_SWING = {"agent.gamma": 0.95, "agent.gae_lambda": 0.9}
PENDULUM = {
    "ppo": {**_SWING, "agent.rollout": 64, "agent.environments": 64},
}

AGENT_PRESETS: dict[str, Preset] = {
    **{f"pendulum-{agent}": _pendulum(agent, own) for agent, own in PENDULUM.items()},
    "recall-multi-10-ppo": _recall_multi("ppo"),
    "memory-game-6-merlin": _memory_game(6, 2_700_000, 150),
    "memory-game-8-merlin": _memory_game(8, 5_000_000, 300),
    **{f"{env}-{agent}": _cartpole(env, agent) for env in CARTS for agent in CARTPOLE},
}
