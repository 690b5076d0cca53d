"""Advantages of the actions of a rollout, and the scale that policies learn them at."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.agents.transitions import follow, mean_valid, transitions
from memup.core.types import Trajectory
from memup.ops.returns import generalised_advantage


class Advantages(NamedTuple):
    """What the actions of a rollout were worth, [T, B].

    Attributes:
        advantage: beyond the value of the step.
        ret: the value's target, advantage + value.
        valid: False after an episode's last step.
    """

    advantage: Float[Array, "T B"]
    ret: Float[Array, "T B"]
    valid: Bool[Array, "T B"]


def advantages(
    trajectory: Trajectory,
    value: Float[Array, "T B"],
    after: Float[Array, " B"],
    gamma: float,
    trace: float,
) -> Advantages:
    """Estimate advantages (GAE); the transition after an episode's end is no transition.

    Args:
        trajectory: the rollout.
        value: of its steps.
        after: value of the step that follows it.
        gamma: discount.
        trace: lambda.
    """
    valid, reward, discount, goes_on = transitions(trajectory, gamma)
    v_tm1 = jnp.where(valid, value, 0.0)
    lambda_t = jnp.where(goes_on, trace, 0.0)
    v_t = follow(value, after)
    advantage = jax.vmap(generalised_advantage, 1, 1)(reward, discount, v_tm1, v_t, lambda_t)
    return Advantages(advantage, advantage + v_tm1, valid)


def scaled(
    variance: Float[Array, "2"], found: Advantages
) -> tuple[Float[Array, "2"], Float[Array, "T B"]]:
    """Bring advantages to mean 0 and spread 1 at most.

    Where rewards are rare a rollout may hold none of them. Dividing by its own spread would
    blow its noise up to the size of a signal, so a running spread is the least divisor.

    Args:
        variance: running sum of the advantages' variance, and of its weights.
        found: the advantages.

    Returns:
        The sums afterwards, and the scaled advantages.
    """
    mean = mean_valid(found.advantage, found.valid)
    now = mean_valid((found.advantage - mean) ** 2, found.valid)
    variance = 0.99 * variance + 0.01 * jnp.stack([now, jnp.ones_like(now)])
    spread = jnp.sqrt(jnp.maximum(now, variance[0] / variance[1]))
    return variance, (found.advantage - mean) / (spread + 1e-8)
