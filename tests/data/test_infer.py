"""What the spaces of a user's arrays are taken to be."""

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete, MultiDiscrete
from memup.data.infer import infer_spaces
from memup.data.store import EpisodeStore


def spaces(**fields):
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return infer_spaces(EpisodeStore.from_episodes([named]))


@pytest.mark.parametrize(
    ("obs", "space"),
    [
        (np.array([0, 3, 1], np.int64), Discrete(4)),
        (np.array([0, -3, 1], np.int8), Box((), "int8")),
        (np.array([0, 10**9], np.int64), Box((), "int64")),
        (np.array([0, 2**62], np.int64), Box((), "int64")),
        (np.zeros((2, 3), np.uint8), Box((3,), "uint8")),
        (np.zeros((2, 3), ">f4"), Box((3,), "float32")),
    ],
)
def test_observations(obs, space):
    assert spaces(obs=obs) == (space, None)


@pytest.mark.parametrize(
    ("action", "space"),
    [
        (np.array([0, 2], np.int8), Discrete(3)),
        (np.array([0.5, -1], np.float32), Box(())),
        (np.zeros((2, 3), np.float32), Box((3,))),
        (np.array([[0, 1], [2, 0]]), MultiDiscrete((3, 3))),
    ],
)
def test_actions(action, space):
    zero = np.zeros(2, np.float32)
    assert spaces(obs__x=zero, action=action, reward=zero) == (Dict({"x": Box(())}), space)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"x": np.zeros(2)}, "no field 'obs'"),
        ({"obs": np.zeros(2), "obs__extra": np.zeros(2)}, "'obs' and 'obs.extra'"),
        ({"obs": np.zeros(2, np.complex64)}, "'obs' is complex64: expected real numbers"),
        ({"obs": np.zeros(2, np.float128)}, "'obs' is float128: expected real numbers"),
        ({"obs": np.zeros((2, 0))}, "'obs' is .0. a step: it holds nothing"),
        ({"obs": np.zeros(2), "action": np.array([-1, 0]), "reward": np.zeros(2)}, "from -1 to 0"),
    ],
)
def test_what_cannot_be_read_is_one_line(fields, told):
    with pytest.raises(MemupError, match=told):
        spaces(**fields)
