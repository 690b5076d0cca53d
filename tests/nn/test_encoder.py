"""What networks see of observations, actions and rewards."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.spaces import Box, Dict, Discrete
from memup.core.types import Query, StepInput
from memup.nn.encoder import InputEncoder, Normaliser, QueryEncoder, encode
from memup.nn.linear import rectified

SPACE = Dict({"b": Discrete(3), "a": Box((2,), "int8")})


def test_encode():
    assert encode(Discrete(4), jnp.int32(2)).tolist() == [0, 0, 1, 0]
    image = jnp.array([[0, 51], [102, 255]], jnp.uint8)
    np.testing.assert_allclose(encode(Box((2, 2), "uint8"), image), [0, 0.2, 0.4, 1], rtol=1e-6)
    assert encode(Box((2,), "int8"), jnp.array([-1, 1], jnp.int8)).tolist() == [-1, 1]
    obs = {"b": jnp.int32(1), "a": jnp.array([7, 8], jnp.int8)}
    for given in (obs, dict(reversed(obs.items()))):
        assert encode(SPACE, given).tolist() == [7, 8, 0, 1, 0], "in the order of the names"
    assert SPACE.size == 5 and encode(SPACE, obs).dtype == jnp.float32


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
    np.testing.assert_array_equal(encoder(step_input(0)), encoder(step_input(1, reward=5.0)))
    assert QueryEncoder(Box((1,)), None, 4, key=key).output_size == 4


def test_dropout_drops_its_share_where_there_is_a_key(key):
    encoder = InputEncoder(Box((1,)), None, 64, key=key, dropout=0.25)
    x = step_input(obs=1.0)
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


def test_normaliser_leaves_rare_small_signals_alone():
    rng = np.random.default_rng(0)
    data = np.stack([(np.arange(1000) == 7) * 1.0, rng.normal(50, 20, 1000)], 1).astype(np.float32)
    normal = Normaliser.of_data(jnp.asarray(data))
    assert normal(jnp.asarray(data[7]))[0] == 1.0 and normal(jnp.asarray(data[8]))[0] == 0.0
    after = jax.vmap(normal)(jnp.asarray(data))[:, 1]
    np.testing.assert_allclose([after.mean(), after.std()], [0, 1], atol=1e-4)
    x = jnp.array([3.0, -2.0])
    assert Normaliser.identity(2)(x).tolist() == x.tolist()


def test_normaliser_is_not_trained():
    normal, x = Normaliser(jnp.array([1.0]), jnp.array([2.0])), jnp.array([5.0])
    gradient = jax.grad(lambda n: jnp.sum(n(x)))(normal)
    assert gradient.shift.tolist() == [0.0] == gradient.scale.tolist()
    assert jax.grad(lambda v: jnp.sum(normal(v)))(x).tolist() == [0.5]


def test_layers_before_a_rectifier_begin_with_twice_the_variance_that_a_sum_keeps(key):
    weight = rectified(8, 500, key=key).weight
    assert weight.shape == (500, 8)
    np.testing.assert_allclose(np.var(weight), 2 / 8, rtol=0.1)
