"""Block-sparse attention: the plan, dense attention under a mask written by hand, and its cost."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from jax.test_util import check_grads

from memup.core.errors import MemupError
from memup.ops.block_sparse import (
    Pattern,
    block_sparse_attention,
    dense_mask,
    plan,
    random_distances,
)

PATTERNS = {
    "encoder": Pattern(16, 3, 1, 2),
    "causal": Pattern(16, 2, 1, 2, causal=True),
    "window": Pattern(16, 3, 0, 0),
    "itself-and-random": Pattern(16, 1, 2, 1),
    "causal-short-history": Pattern(8, 1, 1, 2, causal=True, history=4),
}


@pytest.fixture(params=PATTERNS.values(), ids=PATTERNS)
def pattern(request):
    return request.param


def arrays(steps, heads=2, size=4):
    keys = jax.random.split(jax.random.key(steps), 3)
    return [jax.random.normal(k, (steps, heads, size)) for k in keys]


def mask_by_definition(pattern, steps, heads):
    """The mask, from the distances of all steps; only the draw itself is asked of the pattern."""
    b, g, w = pattern.block, pattern.global_blocks, pattern.window
    t, s = np.arange(steps)[:, None], np.arange(steps)[None]
    i, j = t // b, s // b
    window = i - j < w if pattern.causal else abs(i - j) <= w // 2
    given = window | (j < g) | ((i < g) & (not pattern.causal))
    mask = np.stack([given] * heads)
    for h, block in np.ndindex(heads, steps // b):
        for other in pattern.drawn(h, block, steps // b):
            mask[h] |= (i == block) & (j == other)
    return mask & (s <= t) if pattern.causal else mask


def dense(q, k, v, mask):
    q, k, v = (np.asarray(a, np.float64) for a in (q, k, v))
    scores = np.einsum("thd,shd->hts", q, k) / q.shape[2] ** 0.5
    weight = np.where(mask, np.exp(scores), 0)
    return np.einsum("hts,shd->thd", weight / weight.sum(2, keepdims=True), v)


@pytest.mark.parametrize("steps", [96, 160, 256])
def test_it_is_dense_attention_under_the_mask(pattern, steps):
    inputs = arrays(steps)
    mask = mask_by_definition(pattern, steps, 2)
    np.testing.assert_array_equal(dense_mask(pattern, steps, 2), mask)
    assert not mask.all()
    got = block_sparse_attention(*inputs, pattern)
    np.testing.assert_allclose(got, dense(*inputs, mask), atol=1e-5)


@pytest.mark.parametrize("of", [1, 2], ids=["keys", "values"])
def test_its_gradient_is_zero_outside_the_mask_and_nowhere_inside(pattern, of):
    inputs, mask = arrays(96), mask_by_definition(pattern, 96, 2)

    def read(x):
        return block_sparse_attention(*inputs[:of], x, *inputs[of + 1 :], pattern)

    # out [t, h, d] by input [s, h', d']; who sees one key alone reads its value, whatever the key.
    if of == 1:
        mask &= mask.sum(2, keepdims=True) > 1
    jacobian = np.abs(jax.jit(jax.jacrev(read))(inputs[of])).sum((2, 5))
    for h in range(2):
        assert (jacobian[:, h, :, 1 - h] == 0).all()
        np.testing.assert_array_equal(jacobian[:, h, :, h] > 0, mask[h])


def test_a_plan_by_hand():
    """Five blocks, window 1, one global: whatever is drawn, rows are 0, i and what is left."""
    table = plan(Pattern(4, 1, 1, 3), 5, 1)[0]
    np.testing.assert_array_equal(table[1:], [[0, 1, 2, 3, 4]] * 4)
    causal = plan(Pattern(4, 2, 1, 3, causal=True), 5, 1)[0]
    rows = [[0, -1, -1, -1, -1], [0, 1, -1, -1, -1], [0, 1, 2, -1, -1], [0, 1, 2, 3, -1]]
    np.testing.assert_array_equal(causal, [*rows, [0, 1, 2, 3, 4]])


@settings(max_examples=30, deadline=None)
@given(
    blocks=st.integers(1, 12),
    side=st.integers(0, 2),
    global_blocks=st.integers(0, 3),
    random=st.integers(0, 4),
    causal=st.booleans(),
    seed=st.integers(0, 9),
)
def test_a_plan_has_no_block_twice(blocks, side, global_blocks, random, causal, seed):
    pattern = Pattern(2, 2 * side + 1, global_blocks, random, causal, seed=(seed,))
    for row in plan(pattern, blocks, 2).reshape(2 * blocks, -1):
        real = row[row >= 0]
        assert len(set(real)) == len(real) and (real < blocks).all()
    for i in range(blocks):
        drawn, near = pattern.drawn(0, i, blocks), pattern.near(i, blocks)
        assert len(drawn) == min(random, len(pattern.others(i, blocks)))
        assert not set(drawn) & {*near, *range(global_blocks)} and i in near


def test_a_plan_is_fixed_by_its_seed_and_differs_between_heads():
    pattern, other = Pattern(4, 3, 1, 3, seed=(1,)), Pattern(4, 3, 1, 3, seed=(2,))
    before = plan(pattern, 32, 2).copy()
    plan.cache_clear()
    np.testing.assert_array_equal(plan(pattern, 32, 2), before)
    assert (before[0] != before[1]).any() and (plan(other, 32, 2) != before).any()


def test_a_longer_causal_sequence_begins_with_the_plan_of_a_shorter():
    pattern = Pattern(4, 2, 1, 2, causal=True)
    short, long = plan(pattern, 10, 2), plan(pattern, 17, 2)
    np.testing.assert_array_equal(long[:, :10], short)


def test_distances_serve_an_episode_of_any_length():
    pattern = Pattern(4, 2, 1, 2, causal=True, history=6)
    table = random_distances(pattern, 2)
    assert table.shape == (2, 13, 2) and table.max() == 5
    for h, i in np.ndindex(2, 40):
        back = table[h, pattern.row(i)]
        assert [i - d for d in back if d] == pattern.drawn(h, i, i + 1)
        assert all(i - d >= 1 and 2 <= d < 6 for d in back if d)


def test_padding_is_not_looked_at(pattern):
    inputs = arrays(96)
    spoilt = [x.at[80:].set(jnp.nan) for x in inputs]
    valid = jnp.arange(96) < 80
    mask = mask_by_definition(pattern, 96, 2) & np.asarray(valid)[None, None]
    got = block_sparse_attention(inputs[0], *spoilt[1:], pattern, valid)
    expected = dense(*inputs, mask | ~mask.any(2, keepdims=True))
    np.testing.assert_allclose(got[:80], expected[:80], atol=1e-5)
    assert np.isfinite(got).all()


def test_large_scores_do_not_overflow(pattern):
    q, k, v = arrays(96)
    assert np.isfinite(block_sparse_attention(1e4 * q, 1e4 * k, v, pattern)).all()


def test_gradients_are_slopes(pattern):
    with jax.enable_x64(True):
        inputs = arrays(48, 1, 2)
        attend = jax.jit(lambda *a: block_sparse_attention(*a, pattern))
        check_grads(attend, inputs, order=1, modes=("rev",), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("causal", [False, True])
def test_no_array_is_quadratic_in_the_steps(causal):
    def largest(steps):
        def loss(*a):
            return jnp.sum(block_sparse_attention(*a, Pattern(16, 3, 1, 2, causal)))

        inputs = jax.eval_shape(lambda: arrays(steps))
        compiled = jax.jit(jax.grad(loss, (0, 1, 2))).lower(*inputs).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    assert largest(2048) < 2.1 * largest(1024) < 1024 * 1024 * 4


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"block": 0}, "block=0: expected at least 1"),
        ({"window": 0}, "window=0: expected at least 1"),
        ({"window": 4}, "window=4: expected an odd number of blocks, did you mean 5"),
        ({"random": -1}, "random=-1: expected at least 0"),
        ({"causal": True, "window": 4, "history": 3}, "history=3: expected at least window=4"),
    ],
)
def test_bad_patterns_are_named(fields, message):
    with pytest.raises(MemupError, match=message):
        Pattern(**{"block": 16, **fields})


def test_a_block_that_does_not_divide_is_named():
    with pytest.raises(MemupError, match="100 steps: expected a multiple of block=16; pad to 112"):
        block_sparse_attention(*arrays(100), PATTERNS["encoder"])
