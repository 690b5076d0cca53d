"""Attention over the last W steps: by hand, against a dense double loop, and with broken values."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from memup.ops.attention import SMALLEST_BLOCK, banded_attention, by_age, safe_attention


def dense(q, p, k, v, r, episode):
    """The definition, one query and one key at a time."""
    q, p, k, v, r = (np.asarray(a, np.float64) for a in (q, p, k, v, r))
    steps, heads, size = q.shape
    window = len(r)
    out, total = np.zeros(q.shape), np.zeros((steps, heads))
    for t in range(steps):
        here = t + window - 1
        keys = [j for j in range(t, here + 1) if episode[j] == episode[here]]
        for h in range(heads):
            scores = [(q[t, h] @ k[j, h] + p[t, h] @ r[here - j, h]) / size**0.5 for j in keys]
            weight = np.exp(scores)
            out[t, h] = sum(w * v[j, h] for w, j in zip(weight, keys, strict=True)) / weight.sum()
            total[t, h] = np.log(weight.sum())
    return out, total


def arguments(key, steps, window, heads=2, size=3):
    keys = jax.random.split(key, 5)
    rows = window - 1 + steps
    shapes = [(steps, heads, size)] * 2 + [(rows, heads, size)] * 2 + [(window, heads, size)]
    arrays = [jax.random.normal(k, s) for k, s in zip(keys, shapes, strict=True)]
    return (*arrays, jnp.zeros(rows, int))


def test_by_hand():
    """One head of size 1, W = 3; keys ln 1, ln 2, ln 3: weights are proportional to 1, 2, 3."""
    keys, values = jnp.log(jnp.array([9.0, 1, 2, 3])), jnp.array([100.0, 6, 12, 18])
    column = lambda a: a.reshape(-1, 1, 1)  # noqa: E731
    ones, episode = jnp.ones((2, 1, 1)), jnp.array([-1, 0, 0, 0])
    flat = jnp.zeros((3, 1, 1))
    out, total = banded_attention(ones, 0 * ones, column(keys), column(values), flat, episode)
    # The first query may look at steps 1 and 2 (step 0 is in no episode), the second at 1, 2, 3.
    np.testing.assert_allclose(out.ravel(), [(6 + 2 * 12) / 3, (6 + 24 + 54) / 6], rtol=1e-6)
    np.testing.assert_allclose(total.ravel(), np.log([3, 6]), rtol=1e-6)
    # Ages weigh 4 (the step itself), 2 and 1 instead, whatever the contents.
    ages = column(jnp.log(jnp.array([4.0, 2, 1])))
    out, _ = banded_attention(0 * ones, ones, column(keys), column(values), ages, episode)
    np.testing.assert_allclose(out.ravel(), [(12 + 48) / 6, (6 + 24 + 72) / 7], rtol=1e-6)


def test_scores_by_age_stand_at_their_keys():
    scores = jnp.array([[[1.0, 2], [3, 4], [5, 6]]])
    expected = [[2, 1, 0, 0], [0, 4, 3, 0], [0, 0, 6, 5]]
    np.testing.assert_array_equal(by_age(scores, 4)[0], expected)


@pytest.mark.parametrize("window", [1, 2, 7, SMALLEST_BLOCK + 1, SMALLEST_BLOCK + 9])
@pytest.mark.parametrize("steps", [1, 5, SMALLEST_BLOCK, 2 * SMALLEST_BLOCK + 3])
def test_it_is_dense_attention_under_a_mask(key, steps, window):
    *arrays, episode = arguments(key, steps, window)
    starts = jnp.isin(jnp.arange(len(episode)), jnp.array([window // 2, window + 2, window + 3]))
    episode = jnp.cumsum(starts)
    for got, wanted in zip(
        banded_attention(*arrays, episode), dense(*arrays, episode), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("steps", [6, SMALLEST_BLOCK + 6])
@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf])
def test_broken_keys_reach_those_who_may_look_at_them(key, steps, bad):
    window, broken = 4, 4
    q, p, k, v, r, episode = arguments(key, steps, window)
    spoilt = (k.at[broken].set(bad), v.at[broken].set(bad))
    out, _ = banded_attention(q, p, *spoilt, r, episode)
    clean, _ = banded_attention(q, p, k, v, r, episode)
    seen = (np.arange(steps) >= 1) & (np.arange(steps) < 1 + window)
    assert not np.isfinite(out[seen]).any()
    np.testing.assert_array_equal(out[~seen], clean[~seen])
    other = episode.at[broken + 1 :].set(1)
    out, _ = banded_attention(q, p, *spoilt, r, other)
    clean, _ = banded_attention(q, p, k, v, r, other)
    np.testing.assert_array_equal(out[2:], clean[2:])


def test_a_query_without_keys_reads_zero():
    nothing = jnp.zeros((2, 3), bool)
    v = jnp.full((1, 3, 2), jnp.nan)
    out, _ = safe_attention(jnp.ones((1, 2, 3)), nothing, v)
    np.testing.assert_array_equal(out, 0)


def test_large_scores_do_not_overflow(key):
    q, p, k, v, r, episode = arguments(key, 5, 3)
    out, total = banded_attention(1e4 * q, p, 1e4 * k, v, r, episode)
    assert jnp.isfinite(out).all() and jnp.isfinite(total).all()


@pytest.mark.parametrize("steps", [4, SMALLEST_BLOCK + 1])
def test_gradients_are_slopes(steps):
    with jax.enable_x64(True):
        *arrays, episode = arguments(jax.random.key(1), steps, 3, 1, 2)
        episode = episode.at[4:].set(1)
        attend = jax.jit(lambda *a: banded_attention(*a, episode))
        check_grads(attend, arrays, order=1, atol=1e-6, rtol=1e-6)


def test_no_array_is_quadratic_in_the_steps(key):
    shapes = jax.eval_shape(lambda: arguments(key, 4096, 32, 1, 2))
    text = str(jax.make_jaxpr(lambda *a: banded_attention(*a))(*shapes))
    assert "4096,4096" not in text and "4127" in text
