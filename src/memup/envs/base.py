"""What an environment is: parameters are fields, state in, state out, one copy, no batch."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.spaces import Space
from memup.core.types import Action, Key, Observation, State, TimeStep


class AbstractEnv(eqx.Module):
    """An environment that lives on the device. Batch comes from outside, by `vmap`.

    `reset` and `step` are pure functions of arrays. After the end of an episode `step` is
    undefined; `step_or_reset` goes on with the next one.
    """

    @property
    @abc.abstractmethod
    def observation_space(self) -> Space:
        """What `TimeStep.obs` looks like."""

    @property
    @abc.abstractmethod
    def action_space(self) -> Space:
        """What `step` takes: actions are trees of it, as observations are of their space."""

    @abc.abstractmethod
    def reset(self, *, key: Key) -> tuple[State, TimeStep]:
        """Begin an episode. Return its state and its first step, with `first` true."""

    @abc.abstractmethod
    def step(self, state: State, action: Action, *, key: Key) -> tuple[State, TimeStep]:
        """Answer one action. Return the next state and the step that the action led to."""


def begin(obs: Observation) -> TimeStep:
    """Make the first step of an episode whose success is not yet decided."""
    no = jnp.zeros((), bool)
    zero = jnp.zeros((), jnp.float32)
    return TimeStep(obs, zero, terminated=no, truncated=no, first=~no, success=zero)


def follow(
    obs: Observation,
    reward: Float[Array, ""],
    terminated: Bool[Array, ""],
    success: Float[Array, ""] | Bool[Array, ""],
    truncated: Bool[Array, ""] | None = None,
) -> TimeStep:
    """Make a step that an action led to; without `truncated` there is no time limit."""
    no = jnp.zeros((), bool)
    return TimeStep(
        obs,
        reward.astype(jnp.float32),
        terminated=terminated,
        truncated=no if truncated is None else truncated,
        first=no,
        success=success.astype(jnp.float32),
    )


def step_or_reset(
    env: AbstractEnv, state: State, last: TimeStep, action: Action, *, key: Key
) -> tuple[State, TimeStep]:
    """Step, or begin the next episode where the last one ended (next-step auto-reset).

    Args:
        env: the environment.
        state: its state.
        last: the step that came with `state`. If it ended the episode the action is ignored.
        action: the answer to `last`.
        key: random key, used for the one or the other.

    Returns:
        The next state and step. Where an episode begins, `first` is true and the reward is 0.
    """
    # One key serves both: only one of the two results is kept, and the draw is shared.
    begun = env.reset(key=key)
    stepped = env.step(state, action, key=key)
    over = last.terminated | last.truncated
    return jax.tree.map(lambda a, b: _select(over, a, b), begun, stepped)


def _select(over: Bool[Array, ""], begun: Any, stepped: Any) -> Any:
    # lax.select needs no broadcasting of the scalar flag and keeps the dtypes apart.
    return jax.lax.select(over, begun, stepped)
