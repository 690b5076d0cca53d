"""What an environment gets wrong is one line that names where, when, and what was expected."""

import warnings

import gymnasium
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.envs.adapters import watched
from memup.envs.adapters.gymnasium import GymnasiumVector
from memup.envs.adapters.watched import Watched

SPACES = gymnasium.spaces
GOOD = np.zeros(2, np.float32), 0.0, False, False, {}


class Odd(gymnasium.Env):
    """Returns what it is told to; counts how many are open."""

    observation_space = SPACES.Box(-1.0, 1.0, (2,), np.float32)
    action_space = SPACES.Discrete(2)
    open = 0

    def __init__(self, result=GOOD, begun=None, space=None, fails=False):
        self.result, self.begun = result, (GOOD[0], {}) if begun is None else begun
        self.observation_space = space or self.observation_space
        if fails:
            raise RuntimeError("no\nscreen")
        Odd.open += 1

    def reset(self, *, seed=None, options=None):
        return self.begun

    def step(self, action):
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result

    def close(self):
        Odd.open -= 1


class OldApi(Odd):
    def reset(self):
        return GOOD[0]


gymnasium.register("memup-test/Odd-v0", Odd)
gymnasium.register("memup-test/OldApi-v0", OldApi)


def result(**more):
    names = ("obs", "reward", "terminated", "truncated", "info")
    return tuple(more.get(name, value) for name, value in zip(names, GOOD, strict=True))


NAN = np.array([0, np.nan], np.float32)
WRONG = {
    "reward: expected a finite number below 1e18, found nan": result(reward=float("nan")),
    "reward: expected a finite number below 1e18, found inf": result(reward=np.inf),
    "reward: expected a finite number below 1e18, found None": result(reward=None),
    "reward: expected a finite number below 1e18, found 1e\\+38": result(reward=1e38),
    "observation: expected finite numbers, found array.*nan": result(obs=NAN),
    r"observation: expected numbers of shape \(2,\), found array": result(obs=np.zeros(3)),
    r"observation: expected numbers of shape \(2,\), found None": result(obs=None),
    "terminated: expected True or False, found 3": result(terminated=3),
    r"result: expected step\(action\) that returns .*, found 4 values": GOOD[:4],
    "raised ValueError: two lines; expected step": ValueError("two\nlines"),
    "raised SystemExit: 3": SystemExit(3),
}


@pytest.mark.parametrize("expected", WRONG)
def test_a_step_that_is_wrong_is_named(expected):
    env = Watched(Odd(WRONG[expected]), "environment 'gym:Odd'")
    env.reset()
    env.reset()
    with pytest.raises(MemupError, match=expected) as error:
        env.step(0)
    assert str(error.value).startswith("environment 'gym:Odd': step (episode 2, step 1): ")
    assert "\n" not in str(error.value)


def test_integers_are_no_floats():
    for space, obs in ((SPACES.Discrete(3), 1.5), (SPACES.MultiDiscrete([3, 3]), np.ones(2) / 2)):
        with pytest.raises(MemupError, match=r"reset \(episode 1\): observation: expected int64"):
            Watched(Odd(begun=(obs, {}), space=space), "it").reset()
    with pytest.raises(MemupError, match=r"expected Discrete\(3\), found 3"):
        Watched(Odd(begun=(3, {}), space=SPACES.Discrete(3)), "it").reset()
    nested = SPACES.Dict(a=SPACES.Tuple((SPACES.Discrete(3),)))
    with pytest.raises(MemupError, match=r"observation\['a'\]\[0\]: expected int64"):
        Watched(Odd(begun=({"a": (0.5,)}, {}), space=nested), "it").reset()
    with pytest.raises(MemupError, match=r"observation: expected the keys \['a'\], found 3"):
        Watched(Odd(begun=(3, {}), space=nested), "it").reset()


def test_through_the_vector_environment():
    with pytest.raises(MemupError, match=r"gym:memup-test/OldApi-v0.*reset \(episode 1\): raised"):
        GymnasiumVector("memup-test/OldApi-v0", 2).reset(0)
    with pytest.raises(MemupError, match="cannot be made: RuntimeError: no screen"):
        GymnasiumVector("memup-test/Odd-v0", 2, fails=True)


def test_copies_are_closed():
    before = Odd.open
    env = GymnasiumVector("memup-test/Odd-v0", 5)
    env.reset(0)
    assert Odd.open == before + 5
    env.close()
    env.close()
    assert Odd.open == before


def test_an_episode_that_never_ends_is_told_of_and_cut(monkeypatch):
    monkeypatch.setattr(watched, "LONG_EPISODE", 5)
    monkeypatch.setattr(watched, "LONGEST_EPISODE", 9)
    env = Watched(Odd(), "environment 'gym:Odd'")
    env.reset()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        cut = [env.step(0)[3] for _ in range(9)]
    assert cut == [False] * 8 + [True]
    assert len(told) == 1 and "episode 1, step 5" in str(told[0].message)
    assert "cut after 9" in str(told[0].message)
