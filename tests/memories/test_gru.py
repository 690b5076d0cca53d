"""The GRU against Equinox's cell."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from memup.memories.make import make_memory

INPUT, SIZE, STEPS = 6, 16, 12


def test_it_is_equinox_gru_cell(key):
    memory = make_memory("gru", INPUT, size=SIZE, key=key)
    xs = jax.random.normal(key, (STEPS, INPUT))
    layer = eqx.tree_at(lambda l: l.bias_n, memory.layers[0], jnp.linspace(-1, 1, SIZE))
    cell = eqx.nn.GRUCell(INPUT, SIZE, key=key)
    weights = (layer.weight_x.T, layer.weight_h.T, layer.bias, layer.bias_n)
    cell = eqx.tree_at(lambda c: (c.weight_ih, c.weight_hh, c.bias, c.bias_n), cell, weights)

    def theirs(cell, xs):
        def body(h, x):
            h = cell(x, h)
            return h, h

        return jax.lax.scan(body, jnp.zeros(SIZE), xs)[1]

    def ours(layer, xs):
        whole = eqx.tree_at(lambda m: m.layers, memory, (layer,))
        return whole.unroll(whole.initial_state(), xs, jnp.zeros(STEPS, bool))[1]

    def close(a, b):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)

    close(ours(layer, xs), theirs(cell, xs))
    of_ours = eqx.filter_grad(lambda m: jnp.sum(ours(m, xs) ** 2))(layer)
    of_theirs = eqx.filter_grad(lambda m: jnp.sum(theirs(m, xs) ** 2))(cell)
    close(of_ours.weight_x, of_theirs.weight_ih.T)
    close(of_ours.weight_h, of_theirs.weight_hh.T)
    close(of_ours.bias, of_theirs.bias)
    close(of_ours.bias_n, of_theirs.bias_n)


def test_time_scales_up_to_the_one_given(key):
    """With no input and no state, 1 / (1 - z) is 1 + e^b: between 2 and 100, spread evenly."""
    (layer,) = make_memory("gru", INPUT, size=2000, timescale=100, key=key).layers
    reset, keep, new = np.split(np.asarray(layer.bias), 3)
    scale = 1 + np.exp(keep)
    assert not reset.any() and not new.any()
    assert 2 <= scale.min() < 3 and 99 < scale.max() <= 100
    assert abs(scale.mean() - 51) < 3
