"""The LSTM against Equinox's cell and against autodiff of the plain scan."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.memories.base import AbstractCell
from memup.memories.lstm import LSTM

INPUT, SIZE, STEPS = 6, 16, 12


@pytest.fixture
def xs(key):
    return jax.random.normal(key, (STEPS, INPUT))


@pytest.fixture
def first():
    return jnp.zeros(STEPS, bool).at[jnp.array([0, 5, 6])].set(True)


def close(a, b):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-5, atol=1e-5), a, b)


def by_steps(memory, state, xs, first):
    return AbstractCell.unroll(memory, state, xs, first)


def loss(weights, static, unroll, state, xs, first):
    state, ys = unroll(eqx.combine(weights, static), state, xs, first)
    return jnp.mean(ys**2) + sum(jnp.mean(leaf) for leaf in jax.tree.leaves(state))


def equinox_cell(layer):
    """Equinox has the gates in the same order, i, f, g, o, and weights [4*D, I]."""
    cell = eqx.nn.LSTMCell(INPUT, SIZE, key=jax.random.key(0))
    weights = (layer.weight_x.T, layer.weight_h.T, layer.bias)
    return eqx.tree_at(lambda c: (c.weight_ih, c.weight_hh, c.bias), cell, weights)


def test_it_is_equinox_lstm_cell(key, xs):
    memory = LSTM(INPUT, SIZE, 1, 1.0, 0, key=key)

    def theirs(cell, xs):
        def body(state, x):
            state = cell(x, state)
            return state, state[0]

        return jax.lax.scan(body, (jnp.zeros(SIZE), jnp.zeros(SIZE)), xs)[1]

    def ours(layer, xs):
        whole = eqx.tree_at(lambda m: m.layers, memory, (layer,))
        return whole.unroll(whole.initial_state(), xs, jnp.zeros(STEPS, bool))[1]

    (layer,) = memory.layers
    cell = equinox_cell(layer)
    close(ours(layer, xs), theirs(cell, xs))
    of_ours = eqx.filter_grad(lambda m: jnp.sum(ours(m, xs) ** 2))(layer)
    of_theirs = eqx.filter_grad(lambda m: jnp.sum(theirs(m, xs) ** 2))(cell)
    close(of_ours.weight_x, of_theirs.weight_ih.T)
    close(of_ours.weight_h, of_theirs.weight_hh.T)
    close(of_ours.bias, of_theirs.bias)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("rows", [None, 4])
def test_the_gradient_is_that_of_the_plain_scan(key, xs, first, layers, rows):
    memory = LSTM(INPUT, SIZE, layers, 1.0, 0, key=key)
    weights, static = eqx.partition(memory, eqx.is_array)
    state = jax.tree.map(lambda a: a + 0.3, memory.initial_state())
    unrolls = [LSTM.unroll, by_steps]
    if rows is not None:
        scale = jnp.arange(1.0, rows + 1)
        state, xs = jax.tree.map(lambda a: jnp.stack([s * a for s in scale]), (state, xs))
        first = jnp.stack([jnp.roll(first, shift) for shift in range(rows)])
        unrolls = [jax.vmap(unroll, (None, 0, 0, 0)) for unroll in unrolls]
    fast, plain = (
        jax.jit(jax.value_and_grad(lambda w, s, x, u=u: loss(w, static, u, s, x, first), (0, 1, 2)))
        for u in unrolls
    )
    close(fast(weights, state, xs), plain(weights, state, xs))


def test_second_derivatives_agree(key, xs, first):
    memory = LSTM(INPUT, 4, 1, 1.0, 0, key=key)
    weights, static = eqx.partition(memory, eqx.is_array)

    def of_inputs(unroll):
        state = memory.initial_state()
        slope = jax.grad(lambda x: loss(weights, static, unroll, state, x, first))
        return jax.grad(lambda x: jnp.sum(slope(x) ** 2))(xs)

    close(of_inputs(LSTM.unroll), of_inputs(by_steps))


def test_rows_take_no_gradient_each(key, xs, first):
    """Under vmap the weight gradient is one product over rows and steps, never one a row."""
    memory = LSTM(INPUT, SIZE, 1, 1.0, 0, key=key)
    weights, static = eqx.partition(memory, eqx.is_array)
    rows = jnp.stack([xs] * 3)

    def total(weights):
        unroll = eqx.combine(weights, static).unroll
        return jnp.sum(jax.vmap(lambda x: unroll(memory.initial_state(), x, first)[1])(rows))

    text = str(jax.make_jaxpr(jax.grad(total))(weights))
    assert f"f32[3,{SIZE + INPUT},{4 * SIZE}]" not in text
    assert f"f32[3,{4 * SIZE},{SIZE + INPUT}]" not in text


def test_forget_gates_begin_open(key):
    bias = LSTM(INPUT, SIZE, 1, 2.0, 0, key=key).layers[0].bias
    assert (bias[SIZE : 2 * SIZE] == 2).all() and bias.sum() == 2 * SIZE


def test_recurrent_weights_begin_orthogonal(key):
    block = LSTM(INPUT, SIZE, 1, 1.0, 0, key=key).layers[0].weight_h[:, SIZE : 2 * SIZE]
    np.testing.assert_allclose(block.T @ block, np.eye(SIZE), atol=1e-5)
