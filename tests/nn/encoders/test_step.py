"""What networks see of a step, and of a question about one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple, zeros
from memup.core.types import Query, StepInput
from memup.nn.encoders import InputEncoder, QueryEncoder, encode, numbers
from memup.nn.encoders.leaf import SpaceEncoder
from memup.nn.linear import rectified

SPACE = Dict({"b": Discrete(3), "a": Box((2,), "int8")})
SPACES = {
    "box": Box((2,)),
    "bytes": Box((3,), "uint8", 0, 255),
    "scalar": Box((), "float32"),
    "discrete": Discrete(4),
    "many": Discrete(1_000_000),
    "multi-discrete": MultiDiscrete((3, 2)),
    "multi-binary": MultiBinary(3),
    "image": Box((16, 12, 3), "uint8", 0, 255),
    "dict": SPACE,
    "tuple": Tuple((Discrete(2), Dict({"x": Box((2, 2))}))),
}


def test_encode():
    assert encode(Discrete(4), jnp.int32(2)).tolist() == [0, 0, 1, 0]
    assert encode(MultiDiscrete((2, 3)), jnp.array([1, 0])).tolist() == [0, 1, 1, 0, 0]
    assert encode(Box((2,), "int8"), jnp.array([-1, 1], jnp.int8)).tolist() == [-1, 1]
    obs = {"b": jnp.int32(1), "a": jnp.array([7, 8], jnp.int8)}
    for given in (obs, dict(reversed(obs.items()))):
        assert encode(SPACE, given).tolist() == [7, 8, 0, 1, 0], "in the order of the names"
    assert SPACE.size == 5 and encode(SPACE, obs).dtype == jnp.float32
    assert numbers(SPACE, obs).tolist() == [7, 8, 1]


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
def test_any_space_is_read_as_observation_and_as_action(space, key):
    value = jax.tree.map(jnp.asarray, zeros(space))
    step = StepInput(value, value, jnp.float32(1), jnp.array(False))
    assert InputEncoder(space, space, 5, key=key)(step).shape == (5,)
    question = QueryEncoder(space, space, 4, key=key)
    asked = question(Query(value, value))
    assert asked.shape == (question.output_size,) and bool(jnp.isfinite(asked).all())
    part = SpaceEncoder(space, "obs", key=key)
    other = jax.tree.map(lambda a: a + jnp.ones_like(a), value)
    assert part(value).shape == (part.output_size,)
    assert not np.allclose(part(value), part(other)), "another value is seen as another"
    several = QueryEncoder(space, None, 4, 3, key=key)
    three = jax.tree.map(lambda a: jnp.stack([a] * 3), value)
    assert several(Query(three, ())).shape == (4,)


def step_input(action=1, reward=0.0, first=False, obs=0.0):
    return StepInput(jnp.array([obs]), jnp.int32(action), jnp.float32(reward), jnp.bool_(first))


def test_input_encoder_ignores_the_action_where_an_episode_begins(key):
    encoder = InputEncoder(Box((1,)), Discrete(3), 8, key=key)
    at_start = [encoder(step_input(a, first=True)) for a in range(3)]
    np.testing.assert_array_equal(at_start[0], at_start[1])
    np.testing.assert_array_equal(at_start[0], at_start[2])
    inside = [encoder(step_input(a)) for a in range(3)]
    assert not np.allclose(inside[0], inside[1]) and not np.allclose(inside[1], inside[2])
    assert not np.allclose(inside[1], encoder(step_input(1, reward=1.0)))
    assert not np.allclose(inside[1], encoder(step_input(1, obs=1.0)))


def test_sequences_without_actions(key):
    encoder = InputEncoder(Box((1,)), None, 4, key=key)
    assert encoder.layer.in_features == 1
    x = step_input(())._replace(action=())
    np.testing.assert_array_equal(encoder(x), encoder(x._replace(reward=jnp.float32(5))))
    assert QueryEncoder(Box((1,)), None, 4, key=key).output_size == 4


def test_measured_scales_reach_observation_action_and_reward(key):
    fact = {"shift": [5.0], "scale": [2.0]}
    facts = {"obs": fact, "action": fact, "reward": fact}
    box = Box((1,))
    plain, scaled = (InputEncoder(box, box, 8, key=key, facts=f) for f in (None, facts))
    one = StepInput(jnp.array([9.0]), jnp.array([7.0]), jnp.float32(3), jnp.array(False))
    same = StepInput(jnp.array([2.0]), jnp.array([1.0]), jnp.float32(-1), jnp.array(False))
    np.testing.assert_allclose(scaled(one), plain(same), rtol=1e-5)


def test_dropout_drops_its_share_where_there_is_a_key(key):
    encoder = InputEncoder(Box((1,)), None, 64, key=key, dropout=0.25)
    x = step_input(obs=1.0)._replace(action=())
    whole = encoder(x)
    many = jax.jit(jax.vmap(lambda k: encoder(x, k)))(jax.random.split(key, 500))
    seen = np.asarray(many)[:, np.asarray(whole) > 0]
    assert (seen == 0).mean() == pytest.approx(0.25, abs=0.02)
    # What is left is larger, so that the mean stays.
    left = np.asarray(whole)[np.asarray(whole) > 0] / 0.75
    np.testing.assert_allclose(seen[seen > 0], np.broadcast_to(left, seen.shape)[seen > 0], 1e-5)
    np.testing.assert_array_equal(InputEncoder(Box((1,)), None, 64, key=key)(x, key), whole)


def test_question_keeps_the_action_beside_what_is_seen(key):
    encoder = QueryEncoder(Box((1,)), Discrete(3), 4, key=key)
    q = encoder(Query(jnp.array([0.3]), jnp.int32(2)))
    assert q.shape == (7,) == (encoder.output_size,) and q[4:].tolist() == [0, 0, 1]


def test_layers_before_a_rectifier_begin_with_twice_the_variance_that_a_sum_keeps(key):
    weight = rectified(8, 500, key=key).weight
    assert weight.shape == (500, 8)
    np.testing.assert_allclose(np.var(weight), 2 / 8, rtol=0.1)
