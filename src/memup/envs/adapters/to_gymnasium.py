"""Our environments as Gymnasium environments."""

from typing import Any

import gymnasium
import jax
import numpy as np

from memup.core.registry import Entry
from memup.core.spaces import flatten, join, split
from memup.core.types import State, TimeStep
from memup.envs.adapters.gymnasium_spaces import to_gymnasium as space_to_gymnasium
from memup.envs.base import AbstractEnv, Action


class ToGymnasium(gymnasium.Env):
    """One copy of an environment behind Gymnasium's interface.

    Gymnasium returns the reward of an action from `step`, together with the observation it led
    to, as ours do. At the end of an episode info holds "success" where the environment defines it.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium reads a plain dict

    def __init__(self, env: AbstractEnv) -> None:
        """Wrap `env`; it is compiled at the first call, once for all its equals."""
        self.observation_space = space_to_gymnasium(env.observation_space)
        self.action_space = space_to_gymnasium(env.action_space)
        self._env = env
        self._carry: Any = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin an episode; `seed` determines it and all that follow. `options` is ignored."""
        super().reset(seed=seed)
        word = self.np_random.integers(2**32, dtype=np.uint32)
        self._carry, step = _reset(self._env, word)
        return jax.tree.map(_plain, step.obs), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Answer one action: observation, reward, terminated, truncated, info."""
        if self._carry is None:
            raise gymnasium.error.ResetNeeded("call reset before step")
        self._carry, out = _step(self._env, self._carry, self._action(action))
        # A third of the time of jax.device_get on arrays as small as these.
        step = jax.tree.map(np.array, out)
        terminated, truncated = bool(step.terminated), bool(step.truncated)
        known = (terminated or truncated) and not np.isnan(step.success)
        info = {"success": float(step.success)} if known else {}
        return jax.tree.map(_plain, step.obs), float(step.reward), terminated, truncated, info

    def _action(self, action: Any) -> Any:
        """Bring an action to the dtypes of the environment's own space."""
        space = self._env.action_space
        given, leaves = split(space, action), flatten(space).items()
        return join(space, {name: np.asarray(given[name], leaf.dtype) for name, leaf in leaves})


def to_gymnasium(env: AbstractEnv) -> ToGymnasium:
    """Make a Gymnasium environment of `env`."""
    return ToGymnasium(env)


def make_registered(family: str, **settings: Any) -> ToGymnasium:
    """Make what `gymnasium.make("memup/...", **settings)` asks for.

    Args:
        family: "module:Class" of the environment.
        settings: its fields, such as length=1000.

    Raises:
        MemupError: a setting out of bounds.
    """
    return ToGymnasium(Entry(family, "").load()(**settings))


def _plain(leaf: Any) -> Any:
    """Return an array of its own; a category as Gymnasium wants it, an int64."""
    array = np.array(leaf)
    return array if array.ndim or array.dtype.kind != "i" else np.int64(array)


@jax.jit
def _reset(env: AbstractEnv, seed: Any) -> tuple[Any, TimeStep]:
    key, reset_key = jax.random.split(jax.random.key(seed))
    state, step = env.reset(key=reset_key)
    return (state, key), step


@jax.jit
def _step(env: AbstractEnv, carry: tuple[State, Any], action: Action) -> tuple[Any, TimeStep]:
    state, key = carry
    key, step_key = jax.random.split(key)
    state, step = env.step(state, action, key=step_key)
    return (state, key), step
