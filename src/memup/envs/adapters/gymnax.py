"""Gymnax environments as ours."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from memup.core.errors import MemupError, unknown_name
from memup.core.spaces import Box, Dict, Discrete, Space, require_discrete
from memup.core.types import Key, State, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow


class FromGymnax(AbstractEnv):
    """An environment of gymnax 1.x: `step` gives six values, terminated and truncated apart.

    Gymnax begins the next episode within `step` and keeps the last observation in
    info["final_observation"]; that one is shown here, and `step_or_reset` begins the episode.
    Success is not defined (NaN).

    Attributes:
        env: the gymnax environment, or anything with its methods.
        params: its parameters.
    """

    env: Any = eqx.field(static=True)
    params: Any

    @property
    def observation_space(self) -> Space:
        """The environment's own, converted."""
        return _space(self.env.observation_space(self.params))

    @property
    def action_space(self) -> Discrete:
        """The environment's own; it must be discrete."""
        space = _space(self.env.action_space(self.params))
        return Discrete(require_discrete(space, f"gymnax {type(self.env).__name__}"))

    def reset(self, *, key: Key) -> tuple[State, TimeStep]:
        """Begin an episode."""
        obs, state = self.env.reset(key, self.params)
        return state, begin(obs)._replace(success=jnp.float32(jnp.nan))

    def step(self, state: State, action: Action, *, key: Key) -> tuple[State, TimeStep]:
        """Answer one action."""
        _, state, reward, terminated, truncated, info = self.env.step(
            key, state, action, self.params
        )
        terminated, truncated = (jnp.asarray(x, bool) for x in (terminated, truncated))
        unknown = jnp.float32(jnp.nan)
        obs = info["final_observation"]
        return state, follow(obs, jnp.asarray(reward), terminated, unknown, truncated & ~terminated)


def from_gymnax(name: str) -> FromGymnax:
    """Make the gymnax environment called `name`.

    Raises:
        MemupError: gymnax cannot be imported or has no such environment, or its actions are
            not discrete.
    """
    try:
        import gymnax
    except ImportError as error:
        message = f"environment 'gymnax:{name}': gymnax cannot be imported: {error}"
        raise MemupError(message) from error
    if name not in gymnax.registered_envs:
        raise unknown_name("gymnax environment", name, gymnax.registered_envs)
    env, params = gymnax.make(name)
    made = FromGymnax(env, params)
    _ = made.action_space
    return made


def _space(space: Any) -> Space:
    """Convert a space by its attributes, so that no gymnax is needed to say what it is."""
    if hasattr(space, "spaces"):
        return Dict({name: _space(s) for name, s in dict(space.spaces).items()})
    if hasattr(space, "n"):
        return Discrete(int(space.n))
    low, high = float(np.min(space.low)), float(np.max(space.high))
    return Box(tuple(space.shape), np.dtype(space.dtype).name, low, high)
