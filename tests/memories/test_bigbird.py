"""Big Bird over the history: dense attention by definition, what it sees, what it keeps."""

from itertools import accumulate, pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from memup.core.errors import MemupError
from memup.memories.bigbird import BigBird
from memup.memories.make import make_memory
from memup.ops.block_sparse import dense_mask

INPUT, SIZE, BLOCK, HISTORY, HEADS = 2, 4, 2, 8, 2
STEPS = 24


def build(window=1, layers=1, random=1, global_blocks=1, history=HISTORY):
    sizes = (INPUT, SIZE, BLOCK, window, global_blocks, random, history, layers, HEADS, 0)
    return BigBird(*sizes, key=jax.random.key(3))


@eqx.filter_jit
def unroll(memory, state, xs, first):
    return memory.unroll(state, xs, first)


def outputs(memory, xs, first=None):
    first = jnp.zeros(len(xs), bool) if first is None else first
    return unroll(memory, memory.initial_state(), xs, first)[1]


def inputs(steps=STEPS):
    return jax.random.normal(jax.random.key(4), (steps, INPUT))


def embedded(memory, xs):
    """Inputs with waves of their positions: sin(p), sin(p / 100), cos(p), cos(p / 100)."""
    angle = np.arange(len(xs))[:, None] * np.array([[1, 0.01]])
    waves = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
    return jax.vmap(memory.embed)(xs) + waves.astype(np.float32)


def dense_block(block, x, mask):
    """One layer by its definition, with the whole matrix of scores."""
    normed = block.norm_attention(x)
    q = block.attention.queries(normed)
    k, v = block.attention.keys_and_values(normed)
    scores = jnp.einsum("thd,shd->hts", q, k) / (SIZE / HEADS) ** 0.5
    weight = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf))
    h = x + block.attention.join(jnp.einsum("hts,shd->thd", weight, v))
    return h + block.forward(block.norm_forward(h))


def mask_by_definition(block, steps):
    """Who sees whom in one episode, one query and one key at a time."""
    pattern = block.pattern
    mask = np.zeros((HEADS, steps, steps), bool)
    for h, t, s in np.ndindex(mask.shape):
        i, j = t // BLOCK, s // BLOCK
        near = i - j < pattern.window or j < pattern.global_blocks
        mask[h, t, s] = s <= t and (near or j in pattern.drawn(h, i, i + 1))
    return mask


@pytest.mark.parametrize("window", [1, 2])
@pytest.mark.parametrize("chunk", [1, 2, 5, STEPS])
def test_it_is_dense_attention_under_the_mask(window, chunk):
    """Two layers, an episode three times as long as the history, in windows of any length."""
    memory, xs = build(window, layers=2), inputs()
    h = embedded(memory, xs)
    for block in memory.blocks:
        mask = mask_by_definition(block, STEPS)
        np.testing.assert_array_equal(dense_mask(block.pattern, STEPS, HEADS), mask)
        h = dense_block(block, h, mask)
    state, parts = memory.initial_state(), []
    for begin in range(0, STEPS, chunk):
        part = xs[begin : begin + chunk]
        state, ys = unroll(memory, state, part, jnp.zeros(len(part), bool))
        parts.append(ys)
    np.testing.assert_allclose(jnp.concatenate(parts), memory.norm(h), atol=1e-5)


@pytest.mark.parametrize("window", [1, 2])
def test_one_layer_sees_what_a_head_may_and_nothing_else(window):
    memory, xs = build(window), inputs()
    jacobian = jax.jit(jax.jacrev(lambda xs: outputs(memory, xs)))(xs)
    seen = np.abs(np.asarray(jacobian)).sum((1, 3)) > 0
    mask = mask_by_definition(memory.blocks[0], STEPS).any(0)
    np.testing.assert_array_equal(seen, mask)
    assert mask[-1, 0] and not mask[-1, BLOCK : STEPS - HISTORY].any()


def test_without_global_and_random_blocks_it_is_a_window():
    memory = build(window=2, random=0, global_blocks=0)
    jacobian = jax.jit(jax.jacrev(lambda xs: outputs(memory, xs)))(inputs())
    seen = np.abs(np.asarray(jacobian)).sum((1, 3)) > 0
    t, s = np.arange(STEPS)[:, None], np.arange(STEPS)[None]
    np.testing.assert_array_equal(seen, (s <= t) & (t // BLOCK - s // BLOCK < 2))


def test_layers_and_heads_draw_apart():
    memory = build(layers=2, history=32)
    one, two = (dense_mask(block.pattern, 64, HEADS) for block in memory.blocks)
    assert (one[0] != one[1]).any() and (one != two).any()


@settings(max_examples=8, deadline=None)
@given(lengths=st.permutations([1, 2, 4, 7]), starts=st.sets(st.integers(0, 13)))
def test_any_splitting_gives_the_same(lengths, starts):
    memory, xs = build(layers=2), inputs(14)
    first = jnp.isin(jnp.arange(14), jnp.array(sorted(starts), int))
    begin = unroll(memory, memory.initial_state(), inputs(), jnp.zeros(STEPS, bool))[0]
    whole = unroll(memory, begin, xs, first)
    state, parts = begin, []
    for low, high in pairwise(accumulate(lengths, initial=0)):
        state, ys = unroll(memory, state, xs[low:high], first[low:high])
        parts.append(ys)
    together = (state, jnp.concatenate(parts))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), together, whole)


def test_the_state_holds_the_last_steps_and_the_first():
    memory = build(layers=2)
    xs = inputs(14)
    state, _ = unroll(memory, memory.initial_state(), xs, jnp.arange(14) == 3)
    assert state.rows.shape == (2, HISTORY + BLOCK, SIZE) and state.count == 11
    h = embedded(memory, xs[3:])
    # Steps 3 to 10 of the episode stand at their number modulo 8, then steps 0 and 1.
    stand = jnp.array([8, 9, 10, 3, 4, 5, 6, 7, 0, 1])
    np.testing.assert_allclose(state.rows[0], h[stand], atol=1e-6)
    state, _ = unroll(memory, state, xs[:1], jnp.ones(1, bool))
    np.testing.assert_array_equal((state.rows != 0).any(2), [[s in (0, 8) for s in range(10)]] * 2)


def test_work_and_state_do_not_grow_with_the_episode():
    memory = build(history=8)
    state = memory.initial_state()._replace(count=jnp.array(2.0**20 + 3))
    _, ys = unroll(memory, state, inputs(), jnp.zeros(STEPS, bool))
    assert jnp.isfinite(ys).all()
    shapes = jax.eval_shape(lambda: inputs(512))
    text = str(jax.make_jaxpr(lambda xs: outputs(memory, xs))(shapes))
    assert "512,512" not in text and "512,1024" not in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"history": 100}, r"memory\.history=100: expected a multiple of memory\.block=16"),
        ({"window": 0}, r"memory\.window=0: expected at least 1"),
        ({"size": 10}, r"memory\.size=10: expected a multiple of memory\.heads=4"),
        ({"history": 32, "window": 3}, r"memory\.history=32: expected at least memory\.window=3"),
    ],
)
def test_what_does_not_fit_is_named(options, message):
    with pytest.raises(MemupError, match=message):
        make_memory("bigbird", 3, key=jax.random.key(0), **options)
