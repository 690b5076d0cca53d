"""Memory tokens: reading and writing by hand, what a shut gate keeps, how far gradients reach."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.make import make_memory
from memup.memories.rmt import RecurrentMemoryTransformer, Tokens

INPUT, SIZE, WINDOW, TOKENS = 3, 8, 4, 3


def build(layers=1, timescale=200.0):
    return RecurrentMemoryTransformer(
        INPUT, SIZE, WINDOW, TOKENS, layers, 2, timescale, key=jax.random.key(3)
    )


def with_gates(memory, bias):
    """The same memory, whose gates do not depend on what is seen."""
    parts = lambda m: [b.tokens.bias for b in m.blocks]  # noqa: E731
    return eqx.tree_at(parts, memory, [jnp.full_like(b, bias) for b in parts(memory)])


def unroll(memory, xs, state=None, starts=()):
    first = jnp.isin(jnp.arange(len(xs)), jnp.array(starts, int))
    return memory.unroll(memory.initial_state() if state is None else state, xs, first)


def one_number(weight_write=(0.0, 1.0)):
    """Two tokens of one head and one number, named ln 2 and 0, time scales 2 and 5."""
    return eqx.tree_at(
        lambda t: (t.names, t.weight_write, t.norm.scale, t.norm.shift),
        Tokens(1, 2, 1, 5.0, key=jax.random.key(0)),
        (
            jnp.log(jnp.array([2.0, 1.0])).reshape(2, 1, 1),
            jnp.array([weight_write]),
            jnp.zeros(1),
            jnp.array([3.0]),
        ),
    )


def test_reading_by_hand():
    """Scores ln 2, ln 3 of the tokens and ln 5 of the window: weights 0.2, 0.3 and 0.5."""
    tokens = jnp.array([0.0, np.log(3)]).reshape(2, 1, 1)
    got = one_number().read(
        tokens, jnp.ones((1, 1)), jnp.full((1, 1), 7.0), jnp.log(jnp.full(1, 5))
    )
    np.testing.assert_allclose(got, [[0.3 * np.log(3) + 0.5 * 7]], rtol=1e-6)


def test_writing_by_hand():
    """Without a question gates are 1 / time scale: 1/2 and 1/5 of the way from m to 3."""
    tokens = jnp.array([1.0, -2.0]).reshape(2, 1, 1)
    got = one_number().write(tokens, jnp.zeros(1))
    np.testing.assert_allclose(got.ravel(), [2.0, -1.0], rtol=1e-6)
    # k(u) = 3 a with a = ln 2 / 3: the first token's gate opens to sigmoid(ln 2 (1 + ln 2)).
    got = one_number((np.log(2) / 3, 1.0)).write(tokens, jnp.zeros(1))
    gate = 1 / (1 + np.exp(-np.log(2) * (1 + np.log(2))))
    np.testing.assert_allclose(got.ravel()[0], 1 + gate * 2, rtol=1e-6)


def test_window_and_tokens_share_one_softmax(key):
    """Against the definition: all W + K keys in one list."""
    memory = build()
    (block,) = memory.blocks
    tokens = jax.random.normal(key, (1, TOKENS, 2, 4))
    xs = jax.random.normal(key, (3, INPUT))
    state = memory.initial_state()._replace(tokens=tokens)
    memory = with_gates(memory, -jnp.inf)
    state, ys = unroll(memory, xs, state)
    h = np.asarray(jax.vmap(memory.embed)(xs))
    normed = np.asarray(block.norm_attention(jnp.asarray(h)))
    k, v = (np.asarray(a) for a in block.attention.keys_and_values(jnp.asarray(normed)))
    q = np.asarray(block.attention.queries(jnp.asarray(normed)))[2]
    asked = (normed[2] @ np.asarray(block.tokens.weight_read)).reshape(2, 4)
    ages = np.asarray(block.ages)[:3][::-1]
    read = np.zeros((2, 4))
    for head in range(2):
        named = np.asarray(tokens[0] + block.tokens.names)[:, head]
        scores = np.concatenate([(k[:, head] + ages[:, head]) @ q[head], named @ asked[head]]) / 2
        values = np.concatenate([v[:, head], np.asarray(tokens[0, :, head])])
        read[head] = np.exp(scores) / np.exp(scores).sum() @ values
    u = jnp.asarray(h[2] + read.ravel() @ np.asarray(block.attention.weight_o))[None]
    expected = memory.norm(u + block.forward(block.norm_forward(u)))
    np.testing.assert_allclose(ys[2], expected[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_shut_gate_keeps_the_tokens(key, layers):
    memory = with_gates(build(layers), -1e9)
    tokens = jax.random.normal(key, memory.initial_state().tokens.shape)
    state = memory.initial_state()._replace(tokens=tokens)
    after, _ = unroll(memory, jax.random.normal(key, (50, INPUT)), state)
    np.testing.assert_array_equal(after.tokens, tokens)
    opened, _ = unroll(with_gates(memory, 0.0), jax.random.normal(key, (3, INPUT)), state)
    assert (opened.tokens != tokens).all()


def test_gradients_pass_beyond_the_window():
    """With a window alone the first step would be out of sight after W - 1 others."""
    memory, steps = build(), 60
    xs = jax.random.normal(jax.random.key(4), (steps, INPUT))

    def reach(memory):
        last = jax.jit(jax.jacrev(lambda xs: unroll(memory, xs)[1][-1]))(xs)
        return np.abs(np.asarray(last)).sum((0, 2))[::-1]

    assert (reach(memory) > 1e-5).all()
    shut = reach(with_gates(memory, -1e9))
    assert (shut[:WINDOW] > 1e-5).all() and (shut[WINDOW:] == 0).all()


def test_tokens_begin_with_a_spread_of_time_scales():
    memory = build(timescale=1000.0)
    scales = 1 + np.exp(-np.asarray(memory.blocks[0].tokens.bias)).ravel()
    np.testing.assert_allclose(scales, np.geomspace(2, 1000, TOKENS * 2), rtol=1e-4)


def test_what_is_held_fades_slowly(key):
    """1,000 random steps at the longest time scale of 1,000 leave about e^-1 of a difference."""
    memory = build(timescale=1000.0)
    xs = jax.random.normal(key, (1000, INPUT))
    of_one, of_zero = (
        unroll(memory, xs, memory.initial_state()._replace(tokens=value))[0].tokens[0, -1, -1]
        for value in (jnp.ones((1, TOKENS, 2, 4)), jnp.zeros((1, TOKENS, 2, 4)))
    )
    left = np.asarray(of_one - of_zero)
    assert (left > 0.15).all() and (left < 0.7).all()


def test_a_reset_gives_the_learned_tokens(key):
    memory = with_gates(build(), -1e9)
    learned = jax.random.normal(key, (TOKENS, 2, 4))
    memory = eqx.tree_at(lambda m: m.blocks[0].tokens.initial, memory, learned)
    state = memory.initial_state()._replace(tokens=jnp.full((1, TOKENS, 2, 4), jnp.nan))
    state, _ = unroll(memory, jax.random.normal(key, (6, INPUT)), state, [3])
    np.testing.assert_array_equal(state.tokens[0], learned)


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(MemupError, match=r"memory\.size=6.* multiple of memory\.heads=4"):
        make_memory("rmt", 3, key=jax.random.key(0), size=6)
    with pytest.raises(MemupError, match=r"memory\.tokens=0: expected at least 1"):
        make_memory("rmt", 3, key=jax.random.key(0), tokens=0)
