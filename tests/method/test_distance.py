"""The code of a distance: exact where near, octaves behind, one code for all that is far."""

import jax.numpy as jnp
import numpy as np

from memup.method.distance import CODES, distance_code, one_hot_distance

STEPS = [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 1000, 10**7]
EXPECTED = [0, 1, 7, 8, 8, 9, 9, 10, 10, 11, 11, 11]


def test_codes_on_the_host_and_on_the_device():
    assert distance_code(np.array(STEPS)).tolist() == EXPECTED
    assert distance_code(jnp.array(STEPS)).tolist() == EXPECTED
    assert max(EXPECTED) == CODES - 1


def test_no_distance_is_a_distance_of_none():
    assert one_hot_distance(None).tolist() == [1.0] + [0.0] * (CODES - 1)
    assert one_hot_distance(jnp.int32(20))[9] == 1
