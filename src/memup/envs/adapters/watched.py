"""Gymnasium environments whose mistakes are named: where, when, what was expected and found."""

import math
import warnings
from typing import Any, NoReturn

import gymnasium
import numpy as np

from memup.core.errors import MemupError
from memup.envs.adapters.gymnasium_spaces import usable

# Longer episodes are told of once, and cut where nobody set a later limit.
LONG_EPISODE, LONGEST_EPISODE = 10_000, 100_000
# Losses square rewards, as 32-bit floats.
MOST_REWARD = 1e18
RESULTS = {
    "reset": "reset(*, seed, options) that returns (observation, info)",
    "step": "step(action) that returns (observation, reward, terminated, truncated, info)",
}


class Watched(gymnasium.Wrapper):
    """Checks all that an environment returns, and cuts episodes that never end.

    Args:
        env: the environment.
        what: how the user wrote it.
    """

    def __init__(self, env: gymnasium.Env, what: str):
        super().__init__(env)
        self.what, self.episode, self.steps = what, 0, 0
        own = getattr(env.spec, "max_episode_steps", None) or 0
        self.longest = max(LONGEST_EPISODE, own)
        self.tell_at = LONG_EPISODE if own <= LONG_EPISODE else self.longest

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, Any]:
        """Begin an episode; see gymnasium.Env."""
        self.episode, self.steps = self.episode + 1, 0
        result = self._call("reset", seed=seed, options=options)
        self._values("reset", result, 2)
        self._observation(self.observation_space, result[0], "reset", "observation")
        return result

    def step(self, action: Any) -> tuple[Any, Any, Any, Any, Any]:
        """Answer an action; see gymnasium.Env."""
        self.steps += 1
        result = self._call("step", action)
        self._values("step", result, 5)
        obs, reward, terminated, truncated, info = result
        self._observation(self.observation_space, obs, "step", "observation")
        number = _number(reward)
        if not abs(number) < MOST_REWARD:  # NaN too
            self._refuse("step", "reward", "a finite number below 1e18", repr(reward))
        for name, flag in (("terminated", terminated), ("truncated", truncated)):
            if not isinstance(flag, bool | np.bool_):
                self._refuse("step", name, "True or False", repr(flag))
        return obs, number, terminated, truncated or self._too_long(), info

    def _call(self, method: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return getattr(self.env, method)(*args, **kwargs)
        except (Exception, SystemExit) as error:
            line = " ".join(f"{type(error).__name__}: {error}".split())
            raise MemupError(
                f"{self._where(method)}: raised {line}; expected {RESULTS[method]}"
            ) from error

    def _values(self, method: str, result: Any, count: int) -> None:
        if not isinstance(result, tuple) or len(result) != count:
            found = f"{len(result)} values" if isinstance(result, tuple) else type(result).__name__
            self._refuse(method, "result", RESULTS[method], found)

    def _observation(self, space: gymnasium.Space, obs: Any, method: str, field: str) -> None:
        """Refuse an observation that is not what its space says."""
        match space:
            case gymnasium.spaces.Dict():
                missing = set(space.spaces) - set(obs if isinstance(obs, dict) else ())
                if missing:
                    self._refuse(method, field, f"the keys {sorted(space.spaces)}", _shown(obs))
                for name, leaf in space.spaces.items():
                    self._observation(leaf, obs[name], method, f"{field}[{name!r}]")
                return
            case gymnasium.spaces.Tuple():
                if not isinstance(obs, tuple | list) or len(obs) != len(space.spaces):
                    self._refuse(method, field, f"{len(space.spaces)} values", _shown(obs))
                for number, leaf in enumerate(space.spaces):
                    self._observation(leaf, obs[number], method, f"{field}[{number}]")
                return
        if not usable(space):  # it is left out
            return
        array = np.asarray(obs)
        if array.shape != space.shape or array.dtype.kind not in "biuf":
            self._refuse(method, field, f"numbers of shape {space.shape}", _shown(obs))
        if not np.can_cast(array.dtype, space.dtype, "same_kind"):
            self._refuse(method, field, f"{np.dtype(space.dtype).name}", _shown(obs))
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            self._refuse(method, field, "finite numbers", _shown(obs))
        low, high = _whole_range(space)
        if (array < low).any() or (array > high).any():
            self._refuse(method, field, str(space), _shown(obs))

    def _too_long(self) -> bool:
        """Say so where an episode is long, and cut it where it does not end."""
        if self.steps == self.tell_at:
            warnings.warn(
                f"{self._where('step')}: the episode has not ended in {self.steps:,} steps; it "
                f"is cut after {self.longest:,}. Set max_episode_steps where it is registered.",
                stacklevel=2,
            )
        return self.steps >= self.longest

    def _where(self, method: str) -> str:
        when = f"episode {self.episode}" + (f", step {self.steps}" if method == "step" else "")
        return f"{self.what}: {method} ({when})"

    def _refuse(self, method: str, field: str, expected: str, found: str) -> NoReturn:
        raise MemupError(f"{self._where(method)}: {field}: expected {expected}, found {found}")


def _whole_range(space: gymnasium.Space) -> tuple[Any, Any]:
    """Return the least and greatest value of categories and flags; no limits for a Box."""
    match space:
        case gymnasium.spaces.Discrete():
            return space.start, space.start + space.n - 1
        case gymnasium.spaces.MultiDiscrete():
            return space.start, space.start + space.nvec - 1
        case gymnasium.spaces.MultiBinary():
            return 0, 1
    return -math.inf, math.inf


def _number(reward: Any) -> float:
    try:
        return float(reward)
    except (TypeError, ValueError):
        return math.nan


def _shown(value: Any) -> str:
    """Describe a value in a few words."""
    array = np.asarray(value) if not isinstance(value, dict | tuple) else np.empty(0, object)
    if array.dtype.kind in "biufc" and array.size > 4:
        bad = "" if np.isfinite(array).all() else " with values that are not finite"
        return f"{array.dtype} of shape {array.shape}{bad}"
    return " ".join(repr(value).split())[:80]
