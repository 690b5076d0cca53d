"""Softmax pooling as a recurrence equals attention over the steps of an episode."""

import jax
import jax.numpy as jnp
import numpy as np

from memup.ops.pooling import empty_pool, pool


def test_literal_numbers():
    score = jnp.log(jnp.array([[1.0], [2.0]]))
    value = jnp.array([[[4.0]], [[-1.0]]])
    sums, y = pool(empty_pool(1, 1), score, value, jnp.array([True, False]))
    # The null slot weighs 1: 4 / (1 + 1), then (4 - 2) / (1 + 1 + 2).
    np.testing.assert_allclose(y[:, 0, 0], [2.0, 0.5], rtol=1e-6)
    np.testing.assert_allclose(sums.weight * jnp.exp(sums.top), [4.0], rtol=1e-6)


def test_an_episode_begins_anew_and_calls_can_be_cut(key):
    keys = jax.random.split(key)
    score, value = 3 * jax.random.normal(keys[0], (9, 2)), jax.random.normal(keys[1], (9, 2, 3))
    first = jnp.isin(jnp.arange(9), jnp.array([0, 4]))
    end, whole = pool(empty_pool(2, 3), score, value, first)
    alone = pool(empty_pool(2, 3), score[4:], value[4:], first[4:])[1]
    np.testing.assert_allclose(whole[4:], alone, rtol=1e-6)
    sums, parts = empty_pool(2, 3), []
    for low in (0, 2, 5):
        cut = slice(low, {0: 2, 2: 5, 5: 9}[low])
        sums, y = pool(sums, score[cut], value[cut], first[cut])
        parts.append(y)
    np.testing.assert_allclose(jnp.concatenate(parts), whole, rtol=1e-6)
    np.testing.assert_allclose(sums.value, end.value, rtol=1e-6)
    weight = jnp.concatenate([jnp.ones((1, 2)), jnp.exp(score[4:])])
    mean = jnp.einsum("th,thv->hv", weight[1:], value[4:]) / weight.sum(0)[:, None]
    np.testing.assert_allclose(whole[-1], mean, rtol=1e-5)


def test_large_scores_neither_overflow_nor_fade():
    score = jnp.array([[0.0], [200.0], *[[-100.0]] * 50])
    value = jnp.array([[[1.0]], [[5.0]], *[[[-7.0]]] * 50])
    sums, y = pool(empty_pool(1, 1), score, value, jnp.zeros(52, bool))
    np.testing.assert_allclose(y[-1, 0], [5.0])
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in sums)
