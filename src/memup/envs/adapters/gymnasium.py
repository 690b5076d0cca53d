"""Gymnasium environments on the host, n at a time, in the form of ours."""

import functools
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from memup.core.errors import MemupError
from memup.core.spaces import Discrete
from memup.core.types import TimeStep
from memup.envs.adapters.gymnasium_spaces import (
    find_spec,
    observation_from_gymnasium,
    space_from_gymnasium,
)
from memup.envs.adapters.watched import Watched

SUCCESS_NAMES = ("success", "is_success")


class GymnasiumVector:
    """n copies of a Gymnasium environment, stepped together, with next-step auto-reset.

    The call after an episode's end ignores the action and begins the next episode, as
    `step_or_reset` does, so the last observation of an episode is never replaced. Given the seed
    of `reset` and the actions, everything is determined as far as the environment itself is.

    Attributes:
        observation_space: of one copy; Dict observations may be nested.
        action_space: Discrete, of one copy, beginning at 0.
        n: how many copies there are.
    """

    def __init__(self, env_id: str, n: int = 1, **settings: Any) -> None:
        """Make the copies.

        Args:
            env_id: Gymnasium's id, or module:id to import a module first; no "gym:".
            n: copies, at least 1.
            settings: what `gymnasium.make` should pass to the environment.

        Raises:
            MemupError: unknown id, a missing package, actions that are not discrete, or
                observations of a kind that memup does not read.
        """
        if n < 1:
            raise MemupError(f"n={n}: expected at least 1 copy of {env_id!r}")
        self.n = n
        what = f"environment 'gym:{env_id}'"
        self._open = functools.partial(_make, find_spec(env_id), n, what, settings)
        self._envs, self._closed = self._open(), False
        self._over = np.ones(n, bool)
        try:
            self.action_space = _actions(self._envs.single_action_space, what)
            self.observation_space = space_from_gymnasium(self._envs.single_observation_space, what)
        except MemupError:
            self.close()
            raise

    def reset(self, seed: int) -> TimeStep:
        """Begin an episode in every copy, copy i with seed + i. Leaves are [n, ...].

        Copies that were closed are made again.
        """
        if self._closed:
            self._envs, self._closed = self._open(), False
        obs, _ = self._envs.reset(seed=int(seed))
        self._over = np.zeros(self.n, bool)
        no = np.zeros(self.n, bool)
        zero, unknown = np.zeros(self.n, np.float32), np.full(self.n, np.nan, np.float32)
        return TimeStep(self._observation(obs), zero, no, no.copy(), ~no, unknown)

    def step(self, actions: Any) -> TimeStep:
        """Answer with one action a copy.

        Args:
            actions: integers [n]; ignored where the last step ended an episode.

        Returns:
            The next step of every copy, leaves [n, ...]. `success` is the environment's info
            "success" or "is_success", NaN where it gives none.
        """
        first = self._over
        actions = np.asarray(actions) + self._envs.single_action_space.start
        obs, reward, terminated, truncated, info = self._envs.step(actions)
        self._over = terminated | truncated
        return TimeStep(
            self._observation(obs),
            reward.astype(np.float32),
            terminated=terminated,
            truncated=truncated,
            first=first,
            success=_success(info, self.n),
        )

    def close(self) -> None:
        """Close all copies."""
        if not self._closed:
            self._closed = True
            self._envs.close()

    def _observation(self, obs: Any) -> Any:
        return observation_from_gymnasium(self._envs.single_observation_space, obs)


def _make(env_id: str, n: int, what: str, settings: Mapping[str, Any]) -> SyncVectorEnv:
    made: list[gymnasium.Env] = []

    def one() -> gymnasium.Env:
        # The passive checker costs a tenth of the speed of a light environment and only warns.
        made.append(gymnasium.make(env_id, disable_env_checker=True, **settings))
        return Watched(made[-1], what)

    try:
        # Observations are copied once, when they take our dtypes.
        return SyncVectorEnv([one] * n, copy=False, autoreset_mode=AutoresetMode.NEXT_STEP)
    except (Exception, SystemExit) as error:
        for env in made:
            env.close()
        line = " ".join(f"{type(error).__name__}: {error}".split())
        raise MemupError(f"{what}: cannot be made: {line}") from error


def _actions(space: gymnasium.Space, what: str) -> Discrete:
    if not isinstance(space, gymnasium.spaces.Discrete):
        raise MemupError(
            f"{what}: actions must be discrete, but its action space is {space}; register a "
            "version wrapped in gymnasium.wrappers.TransformAction that maps "
            "gymnasium.spaces.Discrete(n) to it"
        )
    return Discrete(int(space.n))


def _success(info: Mapping[str, Any], n: int) -> np.ndarray:
    """Read success from the info of a vector environment; "_name" says which copies gave it."""
    success = np.full(n, np.nan, np.float32)
    for name in SUCCESS_NAMES:
        if name in info:
            given = np.asarray(info["_" + name], bool)
            success[given] = np.asarray(info[name])[given].astype(np.float32)
            break
    return success
