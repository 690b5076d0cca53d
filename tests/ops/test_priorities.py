"""The priority of a sequence by hand."""

import jax.numpy as jnp
import numpy as np

from memup.ops.priorities import sequence_priority


def test_padding_counts_neither_in_the_maximum_nor_in_the_mean():
    error, valid = jnp.array([1.0, -4.0, 1.0, 99.0]), jnp.array([True, True, True, False])
    np.testing.assert_allclose(sequence_priority(error, valid, 0.9), 0.9 * 4 + 0.1 * 2, rtol=1e-6)
    np.testing.assert_allclose(sequence_priority(error, ~valid, 0.9), 99.0, rtol=1e-6)
    assert sequence_priority(error, jnp.zeros(4, bool), 0.9) == 0
