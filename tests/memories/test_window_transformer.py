"""The window Transformer: what it can see, and that it sees it as by the definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.make import make_memory
from memup.memories.window_transformer import WindowTransformer

INPUT, SIZE, WINDOW = 3, 4, 5


def build(window=WINDOW, layers=1):
    return WindowTransformer(INPUT, SIZE, window, layers, 2, key=jax.random.key(3))


def outputs(memory, xs, starts=()):
    first = jnp.isin(jnp.arange(len(xs)), jnp.array(starts, int))
    return memory.unroll(memory.initial_state(), xs, first)[1]


def reach(memory, steps):
    """For the last output: how large its gradient is at each input, the newest first."""
    xs = jax.random.normal(jax.random.key(4), (steps, INPUT))
    last = jax.jit(jax.jacrev(lambda xs: outputs(memory, xs)[-1]))(xs)
    return np.abs(np.asarray(last)).sum((0, 2))[::-1]


@pytest.mark.parametrize("window", [1, 2, WINDOW])
def test_one_layer_sees_w_steps_and_no_more(window):
    gradient = reach(build(window), 12)
    assert (gradient[:window] > 1e-4).all() and (gradient[window:] == 0).all()


@pytest.mark.parametrize("layers", [2, 3])
def test_layers_add_their_windows(layers):
    span = layers * (WINDOW - 1)
    gradient = reach(build(WINDOW, layers), span + 4)
    assert (gradient[: span + 1] > 0).all() and (gradient[span + 1 :] == 0).all()


def test_a_window_of_many_steps_sees_no_more(key):
    """Long sequences take another path, in blocks."""
    gradient = reach(build(), 80)
    assert (gradient[:WINDOW] > 1e-4).all() and (gradient[WINDOW:] == 0).all()


def test_one_layer_is_the_definition(key):
    memory = build()
    block = memory.blocks[0]
    xs = jax.random.normal(key, (9, INPUT))
    got = outputs(memory, xs, (0, 6))

    def norm(x):
        return (x - x.mean()) / np.sqrt(x.var() + 1e-5)

    h = np.asarray(xs @ memory.embed.weight.T + memory.embed.bias[None], np.float64)
    weight_k, weight_v = np.split(np.asarray(block.attention.weight_kv), 2, axis=1)
    for t in range(9):
        begin = max(6 if t >= 6 else 0, t - WINDOW + 1)
        read = []
        for head in (slice(0, 2), slice(2, 4)):
            q = norm(h[t]) @ np.asarray(block.attention.weight_q)[:, head]
            ages = np.asarray(block.ages)[:, head.start // 2]
            keys = [norm(h[j]) @ weight_k[:, head] + ages[t - j] for j in range(begin, t + 1)]
            weight = np.exp([q @ k / 2**0.5 for k in keys])
            values = [norm(h[j]) @ weight_v[:, head] for j in range(begin, t + 1)]
            read.append(weight / weight.sum() @ np.array(values))
        x = h[t] + np.concatenate(read) @ np.asarray(block.attention.weight_o)
        forward = block.forward
        inner = np.maximum(norm(x) @ np.asarray(forward.weight_in), 0)
        x = x + inner @ np.asarray(forward.weight_out)
        np.testing.assert_allclose(got[t], norm(x), rtol=1e-4, atol=1e-5)


def test_the_state_holds_the_last_steps_of_the_episode(key):
    memory = build(layers=2)
    xs = jax.random.normal(key, (9, INPUT))
    state, _ = memory.unroll(memory.initial_state(), xs, jnp.arange(9) == 7)
    np.testing.assert_array_equal(state.valid, [0, 0, 1, 1])
    assert state.rows.shape == (2, 4, SIZE) and (state.rows[:, :2] == 0).all()
    np.testing.assert_allclose(state.rows[0, 2:], jax.vmap(memory.embed)(xs[7:]), rtol=1e-5)


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(MemupError, match=r"memory\.size=10.* multiple of memory\.heads=4"):
        make_memory("window-transformer", 3, key=jax.random.key(0), size=10)
    with pytest.raises(MemupError, match=r"memory\.window=0: expected at least 1"):
        make_memory("window-transformer", 3, key=jax.random.key(0), window=0)
