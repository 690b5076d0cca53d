"""The rescaling of action values against its inverse, literal numbers and rlax."""

import jax.numpy as jnp
import numpy as np

from memup.ops.rescaling import rescale, unscale


def test_literal_numbers():
    # h(3) = sqrt(4) - 1 + 0.003, h(-8) = -(sqrt(9) - 1) - 0.008
    np.testing.assert_allclose(rescale(jnp.array([0.0, 3.0, -8.0])), [0, 1.003, -2.008], rtol=1e-6)
    np.testing.assert_allclose(unscale(jnp.array([0, 1.003, -2.008])), [0, 3, -8], rtol=1e-5)


def test_each_undoes_the_other_in_float32():
    size = jnp.logspace(-4, 4, 4000)
    x = jnp.concatenate([-size, size])
    np.testing.assert_allclose(rescale(unscale(x)), x, rtol=1e-3)
    np.testing.assert_allclose(unscale(rescale(x)), x, rtol=1e-3)


def test_equals_rlax():
    import rlax

    x = jnp.linspace(-50, 50, 101)
    np.testing.assert_allclose(rescale(x), rlax.signed_hyperbolic(x), rtol=1e-5, atol=1e-5)
    y = jnp.linspace(-5, 5, 101)
    np.testing.assert_allclose(unscale(y), rlax.signed_parabolic(y), rtol=2e-2, atol=1e-3)
