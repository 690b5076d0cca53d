"""The encoder: a layer by its definition, what it sees, padding and errors."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.nn.bigbird import BigBird, Layer
from memup.ops.block_sparse import Pattern, dense_mask

SIZE, HEADS, STEPS = 8, 2, 24
PATTERN = Pattern(4, 1, 1, 1, seed=(3,))
CAUSAL = Pattern(4, 1, 1, 1, causal=True, seed=(3,))


def encoder(pattern=PATTERN, layers=2):
    return BigBird(3, SIZE, layers, HEADS, pattern, key=jax.random.key(1))


@pytest.fixture
def xs():
    return jax.random.normal(jax.random.key(2), (STEPS, 3))


@eqx.filter_jit
def jacobian(layer, xs):
    """How much each output depends on each input, [n, n]."""
    return jnp.sum(jnp.abs(jax.jacrev(lambda x: layer(x))(xs)), axis=(1, 3))


@pytest.mark.parametrize("pattern", [PATTERN, CAUSAL], ids=["encoder", "causal"])
def test_a_layer_is_dense_attention_under_the_mask(pattern):
    layer = Layer(SIZE, HEADS, pattern, key=jax.random.key(1))
    x = jax.random.normal(jax.random.key(2), (STEPS, SIZE))
    normed = layer.norm_attention(x)
    q = layer.attention.queries(normed)
    k, v = layer.attention.keys_and_values(normed)
    scores = jnp.einsum("thd,shd->hts", q, k) / (SIZE / HEADS) ** 0.5
    scores = jnp.where(dense_mask(pattern, STEPS, HEADS), scores, -jnp.inf)
    h = x + layer.attention.join(jnp.einsum("hts,shd->thd", jax.nn.softmax(scores), v))
    expected = h + layer.forward(layer.norm_forward(h))
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize("pattern", [PATTERN, CAUSAL], ids=["encoder", "causal"])
def test_a_layer_sees_what_one_of_its_heads_may_and_nothing_else(pattern):
    layer = Layer(SIZE, HEADS, pattern, key=jax.random.key(1))
    seen = jacobian(layer, jax.random.normal(jax.random.key(2), (STEPS, SIZE)))
    mask = dense_mask(pattern, STEPS, HEADS).any(0)
    assert not mask.all()
    np.testing.assert_array_equal(np.asarray(seen) > 0, mask)


def test_layers_see_as_far_as_their_masks_reach(xs):
    model = encoder()
    reach = [dense_mask(layer.pattern, STEPS, HEADS).any(0) for layer in model.layers]
    assert (reach[0] != reach[1]).any()
    seen = np.asarray(jacobian(model, xs)) > 0
    np.testing.assert_array_equal(seen, reach[1].astype(int) @ reach[0].astype(int) > 0)
    assert seen.all(), "all steps are two layers apart, through the global block"


def test_a_window_alone_does_not_see_far(xs):
    seen = np.asarray(jacobian(encoder(Pattern(4, 3, 0, 0)), xs)) > 0
    block = np.arange(STEPS) // 4
    np.testing.assert_array_equal(seen, np.abs(block[:, None] - block[None]) <= 2)


def test_a_causal_model_does_not_see_the_future(xs):
    seen = np.asarray(jacobian(encoder(CAUSAL), xs)) > 0
    assert (seen == np.tril(seen)).all() and seen[-1, 0]


def test_padding_changes_nothing(xs):
    model, valid = encoder(), jnp.arange(STEPS) < 18
    ys = model(xs, valid)
    np.testing.assert_array_equal(ys[:18], model(xs.at[18:].set(7.0), valid)[:18])
    assert (jnp.abs(ys - model(xs))[:18] > 1e-4).any()


def test_it_tells_the_order_of_its_steps(xs):
    swapped = xs[jnp.arange(STEPS).at[jnp.array([1, 2])].set(jnp.array([2, 1]))]
    model = encoder()
    assert (jnp.abs(model(xs)[0] - model(swapped)[0]) > 1e-5).any()


def test_what_does_not_fit_is_named(xs):
    with pytest.raises(MemupError, match="size=8: expected a multiple of heads=3"):
        BigBird(3, 8, 1, 3, PATTERN, key=jax.random.key(0))
    with pytest.raises(MemupError, match="22 steps: expected a multiple of block=4; pad to 24"):
        encoder()(xs[:22])
