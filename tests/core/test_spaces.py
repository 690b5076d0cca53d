"""Spaces: names of leaves, values, JSON."""

import json
import math

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.core.spaces import (
    Box,
    Dict,
    Discrete,
    MultiBinary,
    MultiDiscrete,
    Tuple,
    flatten,
    from_json,
    join,
    leaf_bytes,
    split,
    to_json,
    zeros,
)

NESTED = Dict(
    {
        "b": Tuple((Discrete(3), MultiDiscrete((2, 5)))),
        "a": Box((2, 2), "uint8", 0, 255),
        "c": Dict({"flags": MultiBinary(4), "real": Box((3,), "float32", (-1.0, -2.0, -3.0), 4.0)}),
    }
)


def test_every_leaf_has_a_name_and_comes_back():
    names = list(flatten(NESTED))
    assert names == ["obs.a", "obs.b.0", "obs.b.1", "obs.c.flags", "obs.c.real"]
    value = zeros(NESTED, (7,))
    assert isinstance(value["b"], tuple) and value["b"][1].shape == (7, 2)
    leaves = split(NESTED, value)
    assert list(leaves) == names
    again = join(NESTED, leaves)
    assert again["b"][0] is value["b"][0] and again["c"]["real"] is value["c"]["real"]


def test_sizes_and_bytes():
    assert NESTED.size == 4 + 3 + 7 + 4 + 3
    assert leaf_bytes(NESTED) == 4 + 4 + 8 + 4 + 12
    assert zeros(None, (3,)) == ()


@pytest.mark.parametrize(
    "space",
    [NESTED, Box((2,)), Discrete(4), MultiBinary(2), MultiDiscrete((2, 3)), Tuple(()), None],
)
def test_json_makes_the_same_space_again(space):
    assert from_json(json.loads(json.dumps(to_json(space), allow_nan=False))) == space


def test_bounds():
    assert Box((2,), low=-1.0, high=1.0).bounded
    assert not Box((2,), low=(-1.0, -math.inf), high=1.0).bounded
    assert Box((2,), low=(-1.0, -2.0), high=(1.0, 2.0)).bounded
    np.testing.assert_array_equal(zeros(Discrete(3)), np.int32(0))


def test_a_key_with_a_dot_that_hides_another_leaf_is_refused():
    space = Dict({"a.b": Box((1,)), "a": Dict({"b": Box((1,))})})
    with pytest.raises(MemupError, match=r"two leaves are called .obs\.a\.b."):
        flatten(space)


@pytest.mark.parametrize(
    "about", [3, {}, {"kind": "Graph"}, {"kind": "Discrete"}, {"kind": "Dict"}]
)
def test_what_is_no_space_is_one_line(about):
    with pytest.raises(MemupError, match="not a space"):
        from_json(about)
