"""The code of the time: what the memory reads beside its input."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.make import make_memory
from memup.memories.wrappers.clock import clock_code

INPUT, CLOCK, STEPS = 2, 4, 7


def make(name):
    return make_memory(name, INPUT, key=jax.random.key(0), clock=CLOCK, size=5)


def test_code_by_hand():
    found = clock_code(jnp.array([0, 3]), CLOCK)
    slow = 3 / 100
    expected = [[0, 0, 1, 1], [np.sin(3), np.sin(slow), np.cos(3), np.cos(slow)]]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_inner_memory_reads_input_and_time_since_the_start():
    memory = make("lstm")
    xs = jax.random.normal(jax.random.key(1), (STEPS, INPUT))
    first = jnp.arange(STEPS) == 4
    _, ys = memory.unroll(memory.initial_state(), xs, first)
    time = jnp.array([0, 1, 2, 3, 0, 1, 2])
    told = jnp.concatenate([xs, clock_code(time, CLOCK)], axis=1)
    _, expected = memory.inner.unroll(memory.inner.initial_state(), told, first)
    np.testing.assert_allclose(ys, expected, atol=1e-6)


def test_time_goes_on_in_the_next_window():
    memory = make("gru")
    xs = jax.random.normal(jax.random.key(1), (STEPS, INPUT))
    none = jnp.zeros(STEPS, bool)
    (time, _), whole = memory.unroll(memory.initial_state(), xs, none)
    assert time == STEPS
    state, _ = memory.unroll(memory.initial_state(), xs[:3], none[:3])
    _, rest = memory.unroll(state, xs[3:], none[3:])
    np.testing.assert_allclose(rest, whole[3:], atol=1e-6)


def test_what_was_read_is_forgotten_and_the_time_is_not():
    memory = make("gru")
    xs = jax.random.normal(jax.random.key(1), (STEPS, INPUT))
    state, _ = memory.unroll(memory.initial_state(), xs, jnp.zeros(STEPS, bool))
    time, inner = memory.forgotten(state)
    assert time == STEPS
    np.testing.assert_array_equal(inner, memory.inner.initial_state())


def test_an_odd_size_is_refused():
    with pytest.raises(MemupError, match=r"method\.clock=3: expected an even number"):
        make_memory("lstm", 2, key=jax.random.key(0), clock=3)
