"""The parts of Transformers: a norm's compiled Jacobian."""

import jax
import numpy as np

from memup.nn.transformer import Norm


def test_a_compiled_jacobian_of_the_norm_is_the_same_in_both_modes():
    """192 cotangents of 192 numbers: beyond 32,768 in all, a fused loop of XLA was wrong."""
    norm = Norm(8)
    x = jax.random.normal(jax.random.key(0), (24, 8))
    by_rows = jax.jit(jax.jacrev(norm))(x)
    np.testing.assert_allclose(by_rows, jax.jit(jax.jacfwd(norm))(x), atol=1e-5)
    of_other_rows = np.einsum("tdsi->tsdi", np.asarray(by_rows))[~np.eye(24, dtype=bool)]
    np.testing.assert_array_equal(of_other_rows, 0)
