"""The transitions of a rollout whose environments reset at the step after an end.

After the last step of an episode the action is ignored and the next episode's first step follows:
that is no transition, and `valid` is False there.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.types import Trajectory


class Transitions(NamedTuple):
    """What each action led to, leaves [T, B].

    Attributes:
        valid: False after an episode's last step.
        reward: that followed; 0 where invalid.
        discount: gamma; 0 where the episode ended for good, and where invalid. Where it was cut
            short the value of its own last step is bootstrapped.
        goes_on: the step that follows is no end, so that traces pass it.
    """

    valid: Bool[Array, "T B"]
    reward: Float[Array, "T B"]
    discount: Float[Array, "T B"]
    goes_on: Bool[Array, "T B"]


def transitions(trajectory: Trajectory, gamma: float) -> Transitions:
    """Return the transitions of a rollout."""
    step, last = trajectory.step, trajectory.last
    ended, end = step.terminated | step.truncated, last.terminated | last.truncated
    valid = ~ended
    reward = jnp.where(valid, follow(step.reward, last.reward), 0.0)
    discount = gamma * (valid & ~follow(step.terminated, last.terminated))
    return Transitions(valid, reward, discount, ~follow(ended, end))


def follow(now: Array, end: Array) -> Array:
    """Return what follows each step: its successor's value, [T, B], and `end`, [B], at the last."""
    return jnp.concatenate([now[1:], end[None]])


def mean_valid(values: Array, valid: Array) -> Array:
    """Return the mean over valid transitions."""
    return jnp.sum(jnp.where(valid, values, 0.0)) / jnp.maximum(jnp.sum(valid), 1)


def of_action(values: Float[Array, "... A"], action: Array) -> Float[Array, "..."]:
    """Pick each action's value; by a product, as the gradient of a look-up is a slow scatter."""
    chosen = jax.nn.one_hot(action, values.shape[-1], dtype=bool)
    return jnp.sum(jnp.where(chosen, values, 0.0), axis=-1)
