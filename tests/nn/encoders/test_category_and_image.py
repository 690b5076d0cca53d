"""Categories and images."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.spaces import Box, Discrete, MultiBinary, MultiDiscrete
from memup.nn.encoders.category import CategoryEncoder
from memup.nn.encoders.image import ImageEncoder, is_image


def size(module):
    return sum(leaf.size for leaf in jax.tree.leaves(module))


def test_few_categories_are_one_hot_and_many_cost_little(key):
    assert CategoryEncoder(Discrete(3), key=key)(jnp.int32(2)).tolist() == [0, 0, 1]
    two = CategoryEncoder(MultiDiscrete((2, 3)), key=key)
    assert two(jnp.array([1, 0])).tolist() == [0, 1, 1, 0, 0] and size(two) == 0
    assert size(CategoryEncoder(Discrete(2000), key=key)) == 2000 * 64
    million = CategoryEncoder(Discrete(1_000_000), key=key)
    assert size(million) == 4096 * 64
    codes = np.asarray(jax.vmap(million)(jnp.arange(990_000, 1_000_000)))
    assert len(np.unique(codes, axis=0)) == 10_000 and codes.std() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((8, 8), True),
        ((84, 84, 4), True),
        ((3, 64, 64), True),
        ((4, 32, 32, 3), True),
        ((7, 30), False),
        ((300,), False),
        ((16, 16, 2), True),
    ],
)
def test_what_is_an_image(shape, image, key):
    leaf = Box(shape, "uint8", 0, 255)
    assert is_image(leaf) is image and not is_image(Box(shape, "float32"))
    if image:
        encoder = ImageEncoder(leaf, key=key)
        code = encoder(jnp.zeros(shape, jnp.uint8))
        assert code.shape == (encoder.output_size,) and encoder.output_size <= 512


def test_vectors_and_flags_are_no_images():
    assert not is_image(MultiBinary(64)) and not is_image(Discrete(3))


def test_channels_may_come_first(key):
    last, first = (ImageEncoder(Box(s, "uint8"), key=key) for s in ((20, 16, 3), (3, 20, 16)))
    image = np.random.default_rng(0).integers(0, 256, (20, 16, 3)).astype(np.uint8)
    np.testing.assert_allclose(last(image), first(np.moveaxis(image, -1, 0)), rtol=1e-5)


def test_a_frame_costs_little(key):
    encoder = ImageEncoder(Box((64, 64, 3), "uint8"), key=key)
    many = jax.jit(lambda x: jax.vmap(encoder)(x).sum())
    frames = np.zeros((256, 64, 64, 3), np.uint8)
    many(frames).block_until_ready()
    begin = time.perf_counter()
    many(frames).block_until_ready()
    assert time.perf_counter() - begin < 3.0
