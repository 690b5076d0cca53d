"""Integers carved from a random word."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.envs.bits import draw, take, take_sign


@pytest.mark.parametrize("n", [1, 2, 11, 65_536, 1_000_003, 2**31 - 1])
def test_take_is_the_high_half_of_the_product(n):
    words = np.random.default_rng(0).integers(2**32, size=64, dtype=np.uint32)
    words[:2] = 0, 2**32 - 1
    got, rest = jax.vmap(lambda w: take(w, n))(jnp.asarray(words))
    product = words.astype(object) * n
    np.testing.assert_array_equal(got, [p >> 32 for p in product])
    np.testing.assert_array_equal(rest, [p % 2**32 for p in product])


def test_values_taken_one_after_another_are_independent():
    def three(key):
        sign, word = take_sign(draw(key))
        a, word = take(word, 11)
        return sign, a, take(word, 5)[0]

    keys = jax.random.split(jax.random.key(0), 22_000)
    sign, a, b = (np.asarray(x) for x in jax.vmap(three)(keys))
    assert set(sign.tolist()) == {-1, 1}
    counts = np.zeros((2, 11, 5))
    np.add.at(counts, ((sign > 0).astype(int), a, b), 1)
    expected = len(keys) / counts.size
    chi2 = ((counts - expected) ** 2 / expected).sum()
    assert chi2 < 109 + 5 * np.sqrt(2 * 109)
