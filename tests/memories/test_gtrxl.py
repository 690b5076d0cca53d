"""The gated Transformer-XL: its gate by hand, its start, its positions, any splitting alike."""

from itertools import accumulate, pairwise

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from memup.core.errors import MemupError
from memup.memories.gtrxl import Gate, GTrXL
from memup.memories.make import make_memory

INPUT, SIZE, WINDOW, STEPS = 3, 16, 5, 14


def build(layers=2, bias=2.0, window=WINDOW):
    return GTrXL(INPUT, SIZE, window, layers, 2, bias, key=jax.random.key(3))


@eqx.filter_jit
def unroll(memory, state, xs, first):
    return memory.unroll(state, xs, first)


def test_the_gate_by_hand(key):
    """Weights of one number: W_r, W_z, W_h = 1, 2, 3; U_r, U_z, U_h = 4, 5, 6; x = 0.5, y = 0.1."""
    gate = eqx.tree_at(
        lambda g: (g.weight_y, g.weight_x, g.weight_h),
        Gate(1, 2.0, key=key),
        (jnp.array([[1.0, 2, 3]]), jnp.array([[4.0, 5]]), jnp.array([[6.0]])),
    )
    got = gate(jnp.array([[0.5]]), jnp.array([[0.1]]))
    # r = sigmoid(2.1) = 0.890903, z = sigmoid(0.7) = 0.668188, h = tanh(2.972709) = 0.994780
    np.testing.assert_allclose(got, [[0.830605]], atol=1e-5)


def test_a_gate_without_weights_keeps_what_the_bias_says(key):
    gate = jax.tree.map(jnp.zeros_like, Gate(SIZE, 2.0, key=key))
    gate = eqx.tree_at(lambda g: g.bias, gate, jnp.full(SIZE, 2.0))
    x = jax.random.normal(key, (3, SIZE))
    np.testing.assert_allclose(gate(x, x), (1 - 0.119203) * x, rtol=1e-5)


@pytest.mark.parametrize(("bias", "largest"), [(2.0, 0.7), (6.0, 0.07)])
def test_it_begins_near_the_identity(key, bias, largest):
    memory = build(bias=bias)
    xs = jax.random.normal(key, (STEPS, INPUT))
    _, ys = unroll(memory, memory.initial_state(), xs, jnp.zeros(STEPS, bool))
    h = jax.vmap(memory.embed)(xs)
    moved = jnp.linalg.norm(ys - h) / jnp.linalg.norm(h)
    assert 0 < moved < largest


@settings(max_examples=20, deadline=None)
@given(lengths=st.permutations([1, 2, 4, 7]), starts=st.sets(st.integers(0, STEPS - 1)))
def test_any_splitting_gives_the_same(lengths, starts):
    memory = build()
    xs = jax.random.normal(jax.random.key(5), (STEPS, INPUT))
    first = jnp.isin(jnp.arange(STEPS), jnp.array(sorted(starts), int))
    whole = unroll(memory, memory.initial_state(), xs, first)
    state, parts = memory.initial_state(), []
    for begin, end in pairwise(accumulate(lengths, initial=0)):
        state, ys = unroll(memory, state, xs[begin:end], first[begin:end])
        parts.append(ys)
    together = (state, jnp.concatenate(parts))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), together, whole)


def test_blocks_of_a_long_sequence_agree_with_single_steps(key):
    memory = build()
    xs = jax.random.normal(key, (70, INPUT))
    first = jnp.arange(70) == 41
    _, whole = unroll(memory, memory.initial_state(), xs, first)

    def body(state, now):
        x, first_t = now
        state, ys = memory.unroll(state, x[None], first_t[None])
        return state, ys[0]

    _, singly = jax.lax.scan(body, memory.initial_state(), (xs, first))
    np.testing.assert_allclose(singly, whole, atol=1e-5)


def test_positions_are_ages(key):
    """The same steps later in the episode give the same once the window is full."""
    memory = build(layers=1)
    xs = jax.random.normal(key, (STEPS, INPUT))
    late = jnp.concatenate([jnp.ones((9, INPUT)), xs])
    _, ys = unroll(memory, memory.initial_state(), xs, jnp.zeros(STEPS, bool))
    _, ys_late = unroll(memory, memory.initial_state(), late, jnp.zeros(STEPS + 9, bool))
    np.testing.assert_allclose(ys_late[9 + WINDOW - 1 :], ys[WINDOW - 1 :], atol=1e-5)


def test_it_tells_the_order_of_its_steps(key):
    memory = build(layers=1)
    xs, first = jax.random.normal(key, (3, INPUT)), jnp.zeros(3, bool)
    _, ys = unroll(memory, memory.initial_state(), xs, first)
    _, swapped = unroll(memory, memory.initial_state(), xs[jnp.array([1, 0, 2])], first)
    assert float(jnp.abs(ys[2] - swapped[2]).max()) > 1e-4


@pytest.mark.parametrize("layers", [1, 2])
def test_it_sees_its_span_and_no_more(layers):
    memory, span = build(layers), layers * (WINDOW - 1)
    xs = jax.random.normal(jax.random.key(4), (span + 4, INPUT))
    first = jnp.zeros(span + 4, bool)
    last = jax.jacrev(lambda xs: unroll(memory, memory.initial_state(), xs, first)[1][-1])(xs)
    gradient = np.abs(np.asarray(last)).sum((0, 2))[::-1]
    assert (gradient[: span + 1] > 0).all() and (gradient[span + 1 :] == 0).all()


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(MemupError, match=r"memory\.size=9.* multiple of memory\.heads=4"):
        make_memory("gtrxl", 3, key=jax.random.key(0), size=9)
