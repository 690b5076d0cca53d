"""Vectors are brought to spread 1 around 0, whatever their units; rare flags stay what they are."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.core.spaces import Box, MultiBinary
from memup.nn.encoders.statistics import check_float32, statistics
from memup.nn.encoders.vector import VectorEncoder, squash

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=20_000)


def encoded(column):
    data = np.asarray(column)[:, None]
    encoder = VectorEncoder(Box((1,)), statistics(data).describe())
    return np.asarray(jax.vmap(encoder)(data.astype(np.float32)))[:, 0]


@pytest.mark.parametrize(("factor", "offset"), [(1, 0), (1e-4, 0), (1e6, 0), (0.5, 300)])
def test_units_do_not_matter(factor, offset):
    after = encoded(factor * NOISE + offset)
    np.testing.assert_allclose(after.mean(), 0, atol=0.02)
    assert 0.75 < after.std() < 1.01


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64])
def test_codes_and_flags(dtype):
    after = encoded(RNG.integers(0, 11, 5000).astype(dtype))
    np.testing.assert_allclose([after.mean(), after.std()], [0, 1], atol=0.02)


def test_rare_flags_stay_flags():
    flag = (np.arange(100_000) % 1000 == 7).astype(np.float32)
    assert set(encoded(flag)) == {0.0, 1.0} == set(encoded(flag * 1e-3))
    often = encoded((np.arange(10_000) % 50 == 7).astype(np.float32))
    assert 3.5 < often.max() < 4.0, "one in fifty: a quarter of the width is the least scale"


def test_constants_are_harmless():
    assert (encoded(np.full(100, 7.0)) == 0).all()
    # What differs by rounding alone is a constant too.
    assert np.abs(encoded(np.where(np.arange(100) % 2, 0.1 + 0.2, 0.3))).max() < 1e-6


def test_outliers_neither_decide_the_scale_nor_explode_nor_vanish():
    data = NOISE.copy()
    data[[3, 4]] = 1e6, 2e6
    after = encoded(data)
    assert 0.7 < np.delete(after, [3, 4]).std() < 1.01
    assert 100 < after[3] < after[4] - 5 and after[4] < 200


def test_squash_is_smooth():
    assert squash(jnp.array([-3.0, 10.0])).tolist() == [-3.0, 10.0]
    np.testing.assert_allclose(squash(jnp.array([-10 * np.e])), [-20.0], rtol=1e-6)
    slope = jax.vmap(jax.grad(squash))(jnp.array([9.99, 10.01, 20.0]))
    np.testing.assert_allclose(slope, [1.0, 1.0, 0.5], atol=2e-3)


def test_without_data_bounds_decide():
    encoder = VectorEncoder(Box((2,), "uint8", 0, 255))
    np.testing.assert_allclose(encoder(jnp.array([0, 255], jnp.uint8)), [-1, 1], atol=1e-6)
    free = VectorEncoder(Box((3,), low=(0.0, -np.inf, -3.4e38), high=(4.0, np.inf, 3.4e38)))
    np.testing.assert_allclose(free(jnp.array([3.0, 3.0, 3.0])), [0.5, 3, 3])
    assert VectorEncoder(MultiBinary(2))(jnp.array([0, 1], jnp.int8)).tolist() == [0, 1]


def test_constants_are_not_trained():
    encoder, x = VectorEncoder(Box((1,)), {"shift": [1.0], "scale": [2.0]}), jnp.array([5.0])
    gradient = jax.grad(lambda e: jnp.sum(e(x)))(encoder)
    assert gradient.shift.tolist() == [0.0] == gradient.scale.tolist()
    assert jax.grad(lambda v: jnp.sum(encoder(v)))(x).tolist() == [0.5]


@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_what_float32_merges_is_refused(dtype):
    stamps = (1_700_000_000 + RNG.integers(0, 3, 500)).astype(dtype)[:, None]
    with pytest.raises(MemupError, match=r"'obs.time'.*number 0, from 17.* only 1 in float32"):
        check_float32("obs.time", stamps, statistics(stamps))
    fine = (1_700_000_000 + 10_000_000 * RNG.integers(0, 3, 500)).astype(dtype)[:, None]
    check_float32("obs.time", fine, statistics(fine))
    check_float32("obs", NOISE[:, None], statistics(NOISE[:, None]))
