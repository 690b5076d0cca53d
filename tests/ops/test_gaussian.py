"""The divergence of two normal distributions, by hand, and in which direction it goes."""

import jax
import jax.numpy as jnp
import numpy as np

from memup.ops.gaussian import Gaussian, from_numbers, kl_divergence


def normal(*pairs):
    mean, std = jnp.array(pairs).T
    return Gaussian(mean, jnp.log(std))


def test_kl_by_hand_and_its_direction():
    q, p = normal((1.0, 2.0)), normal((0.0, 1.0))
    # log(1/2) + (4 + 1) / 2 - 1/2, and log 2 + (1 + 1) / 8 - 1/2.
    np.testing.assert_allclose(kl_divergence(q, p), 1.306853, rtol=1e-6)
    np.testing.assert_allclose(kl_divergence(p, q), 0.443147, rtol=1e-6)


def test_kl_sums_over_numbers_and_is_zero_for_equals():
    q = normal((1.0, 2.0), (3.0, 0.5))
    p = normal((0.0, 1.0), (3.0, 0.5))
    np.testing.assert_allclose(kl_divergence(q, p), 1.306853, rtol=1e-6)
    assert kl_divergence(q, q) == 0


def test_kl_is_the_mean_log_ratio_of_draws():
    q, p = normal((0.5, 0.7)), normal((-0.2, 1.3))
    x = 0.5 + 0.7 * jax.random.normal(jax.random.key(0), (200_000,))

    def log_density(g):
        return -0.5 * ((x - g.mean) / jnp.exp(g.log_std)) ** 2 - g.log_std

    drawn = jnp.mean(log_density(q) - log_density(p))
    np.testing.assert_allclose(kl_divergence(q, p), drawn, atol=5e-3)


def test_deviations_stay_finite():
    made = from_numbers(jnp.array([5.0, -7.0, 1e9, -1e9]))
    np.testing.assert_array_equal(made.mean, [5.0, -7.0])
    np.testing.assert_allclose(made.log_std, [3.0, -3.0])
