"""Gymnasium environments on the host, n at a time, in the form of ours."""

import functools
from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from memup.core.errors import MemupError
from memup.core.spaces import flatten, join, split
from memup.core.types import TimeStep
from memup.envs.adapters.adapted import Adapted
from memup.envs.adapters.gymnasium_ids import find_spec
from memup.envs.adapters.watched import Watched

SUCCESS_NAMES = ("success", "is_success")


class GymnasiumVector:
    """n copies of a Gymnasium environment, stepped together, with next-step auto-reset.

    The call after an episode's end ignores the action and begins the next episode, as
    `step_or_reset` does, so the last observation of an episode is never replaced. Given the seed
    of `reset` and the actions, everything is determined as far as the environment itself is.

    Attributes:
        observation_space: of one copy.
        action_space: of one copy; see `Adapted` for how both differ from Gymnasium's.
        n: how many copies there are.
    """

    def __init__(self, env_id: str, n: int = 1, **settings: Any) -> None:
        """Make the copies.

        Args:
            env_id: Gymnasium's id, or module:id to import a module first; no "gym:".
            n: copies, at least 1.
            settings: what `gymnasium.make` should pass to the environment.

        Raises:
            MemupError: unknown id, a missing package, or a space that cannot be used.
        """
        if n < 1:
            raise MemupError(f"n={n}: expected at least 1 copy of {env_id!r}")
        self.n = n
        what = f"environment 'gym:{env_id}'"
        self._open = functools.partial(_make, find_spec(env_id), n, what, settings)
        self._envs, self._closed = self._open(), False
        self._over = np.ones(n, bool)
        adapted: Any = self._envs.envs[0]
        self.observation_space, self.action_space = (
            adapted.observations.space,
            adapted.actions.space,
        )
        leaves = flatten(self.observation_space).items()
        self._dtypes = {name: np.dtype(leaf.dtype) for name, leaf in leaves}

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
            actions: a tree of the action space, leaves [n, ...]; ignored where the last step
                ended an episode.

        Returns:
            The next step of every copy, leaves [n, ...]. `success` is the environment's info
            "success" or "is_success", NaN where it gives none.
        """
        first = self._over
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
        """Copy a batch of observations, in our dtypes."""
        space, kinds = self.observation_space, self._dtypes
        leaves = split(space, obs)
        return join(space, {name: np.array(leaves[name], kinds[name]) for name in leaves})


def _make(env_id: str, n: int, what: str, settings: Mapping[str, Any]) -> SyncVectorEnv:
    made: list[gymnasium.Env] = []

    def one() -> gymnasium.Env:
        # The passive checker costs a tenth of the speed of a light environment and only warns.
        made.append(gymnasium.make(env_id, disable_env_checker=True, **settings))
        return Adapted(Watched(made[-1], what), what, tell=len(made) == 1)

    try:
        # Observations are copied once, when they take our dtypes.
        return SyncVectorEnv([one] * n, copy=False, autoreset_mode=AutoresetMode.NEXT_STEP)
    except (Exception, SystemExit) as error:
        for env in made:
            env.close()
        if isinstance(error, MemupError):
            raise
        line = " ".join(f"{type(error).__name__}: {error}".split())
        raise MemupError(f"{what}: cannot be made: {line}") from error


def _success(info: Mapping[str, Any], n: int) -> np.ndarray:
    """Read success from the info of a vector environment; "_name" says which copies gave it."""
    success = np.full(n, np.nan, np.float32)
    for name in SUCCESS_NAMES:
        if name in info:
            given = np.asarray(info["_" + name], bool)
            success[given] = np.asarray(info[name])[given].astype(np.float32)
            break
    return success
