"""Spaces and values of Gymnasium, in both directions, and what cannot be used."""

import warnings

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces as theirs

import memup
from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple
from memup.envs.adapters.gymnasium import GymnasiumVector
from memup.envs.adapters.gymnasium_spaces import actions, observations, to_gymnasium

ROWS = [
    (theirs.Discrete(3, start=-1), Discrete(3), 1, 2),
    (
        theirs.MultiDiscrete([[2, 3], [4, 5]], start=[[0, 1], [0, -5]]),
        MultiDiscrete((2, 3, 4, 5)),
        np.array([[1, 3], [0, -1]]),
        [1, 2, 0, 4],
    ),
    (theirs.MultiBinary((2, 2)), MultiBinary(4), np.array([[0, 1], [1, 0]], np.int8), [0, 1, 1, 0]),
    (
        theirs.Box(np.array([-1, 0], np.float32), np.array([1, 9], np.float32)),
        Box((2,), "float32", (-1.0, 0.0), (1.0, 9.0)),
        np.array([0.5, 8], np.float32),
        [0.5, 8],
    ),
    (theirs.Box(0, 255, (2, 1), np.uint8), Box((2, 1), "uint8", 0.0, 255.0), [[7], [255]], None),
    (
        theirs.Tuple([theirs.Dict(b=theirs.Discrete(2, start=4), a=theirs.Discrete(2))]),
        Tuple((Dict({"a": Discrete(2), "b": Discrete(2)}),)),
        ({"b": 5, "a": 0},),
        ({"a": 0, "b": 1},),
    ),
]


@pytest.mark.parametrize(("space", "ours", "value", "expected"), ROWS, ids=lambda x: None)
class TestBothDirections:
    def test_observations(self, space, ours, value, expected):
        found = observations(space, "x")
        assert found.space == ours
        expected = value if expected is None else expected
        read = found.convert(value)
        assert to_gymnasium(ours).contains(_widened(read))
        if isinstance(expected, tuple):
            assert read == expected
        else:
            np.testing.assert_array_equal(read, expected)

    def test_actions(self, space, ours, value, expected):
        found = actions(space, "x")
        assert found.space == ours
        given = found.convert(value if expected is None else expected)
        assert space.contains(given)
        if isinstance(value, tuple):
            assert given == value
        else:
            np.testing.assert_array_equal(given, value)


def _widened(value):
    """Categories as Gymnasium knows them: its Discrete takes int64 scalars."""
    if isinstance(value, tuple):
        return tuple(map(_widened, value))
    if isinstance(value, dict):
        return {k: _widened(v) for k, v in value.items()}
    return np.int64(value) if np.ndim(value) == 0 else value


@pytest.mark.parametrize(
    ("kind", "low", "high", "dtype"),
    [
        (np.float64, -1, 1, "float32"),
        (np.float64, -np.inf, np.inf, "float64"),
        (np.int64, 0, 2**31 - 1, "int32"),
        (np.int64, 0, 2**41, "float64"),
        (np.uint16, 0, 9, "uint16"),
    ],
)
def test_wide_numbers_are_neither_wrapped_nor_merged(kind, low, high, dtype):
    found = observations(theirs.Box(low, high, (1,), kind), "x")
    assert found.space.dtype == dtype
    big = np.array([1_700_000_000_123 if high == 2**41 else min(high, 7)], kind)
    assert found.convert(big)[0] == big[0]


def test_a_bound_that_float32_cannot_hold_is_kept():
    space = theirs.Box(-0.1, 0.1, (1,), np.float64)
    assert space.contains(actions(space, "x").convert(np.array([np.float32(0.1)])))


@pytest.mark.parametrize(
    "space", [theirs.Text(5), theirs.Sequence(theirs.Discrete(2)), theirs.Box(0, 1, (0,))]
)
def test_what_is_nothing_else_is_refused_in_one_line(space):
    for convert in (observations, actions):
        with pytest.raises(MemupError, match=r"environment 'y'.*Box, Discrete, MultiD") as error:
            convert(space, "environment 'y'")
        assert "\n" not in str(error.value)
    with pytest.raises(MemupError, match=r"action\.1"):
        actions(theirs.Tuple([theirs.Discrete(2), space]), "x")


class Talking(gymnasium.Env):
    """Says something beside a cue, and wants two answers, the first of them counted from 1."""

    observation_space = theirs.Dict(
        cue=theirs.Discrete(2, start=1), more=theirs.Tuple([theirs.Text(9), theirs.MultiBinary(2)])
    )
    action_space = theirs.Tuple([theirs.Discrete(2, start=1), theirs.Box(-1.0, 1.0, (2,))])

    def _obs(self):
        return {"cue": 2, "more": ("hello", np.ones(2, np.int8))}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._obs(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        return self._obs(), float(action[0] + action[1].sum()), True, False, {}


gymnasium.register("memup-test/Talking-v0", Talking)


def test_text_beside_other_leaves_is_left_out_and_named_once():
    with pytest.warns(UserWarning, match=r"cannot read 'obs.more.0': left out") as told:
        env = GymnasiumVector("memup-test/Talking-v0", 3)
    assert len(told) == 1
    assert env.observation_space == Dict({"cue": Discrete(2), "more": Tuple((MultiBinary(2),))})
    step = env.reset(0)
    np.testing.assert_array_equal(step.obs["cue"], [1, 1, 1])
    np.testing.assert_array_equal(step.obs["more"][0], np.ones((3, 2)))
    done = env.step((np.array([0, 1, 1]), np.array([[0, 0], [0.5, 0], [-1, -1]], np.float32)))
    np.testing.assert_array_equal(done.reward, [1, 2.5, 0])
    env.close()


def test_an_adapted_environment_takes_what_models_answer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = memup.adapt(Talking())
    assert env.observation_space["cue"].start == 0
    assert env.reset()[0]["cue"] == 1
    assert env.step((np.int32(0), np.zeros(2, np.float32)))[1] == 1.0


@pytest.mark.parametrize("wrong", [{"cue": 3}, {"more": ("", np.array([0, 2], np.int8))}])
def test_values_outside_their_space_are_refused(monkeypatch, wrong):
    seen = Talking._obs
    monkeypatch.setattr(Talking, "_obs", lambda self: seen(self) | wrong)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = GymnasiumVector("memup-test/Talking-v0", 1)
    with pytest.raises(MemupError, match=r"reset \(episode 1\): observation"):
        env.reset(0)
