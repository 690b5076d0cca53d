"""The Neural Turing Machine: one step by hand, heads that walk, sizes that do not fit."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.make import make_memory
from memup.memories.ntm import Tape

INPUT, SIZE = 3, 5
OFF, ON = -20.0, 20.0


def close(a, b, tolerance=1e-5):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def before_softplus(value):
    return float(np.log(np.expm1(value)))


def numbers(keys, strength, gate, shift, power, erase, add):
    """What a controller says to the heads, in the order of `access`."""
    parts = [keys, strength, gate, np.log(np.maximum(shift, 1e-9)), power, erase, add]
    return jnp.concatenate([jnp.ravel(jnp.asarray(part, jnp.float32)) for part in parts])


def test_one_step_by_hand(key):
    """The reader's four stages are those of test_addressing; the writer stays on slot 1."""
    memory = make_memory("ntm", INPUT, size=SIZE, slots=3, width=2, key=key)
    tape = Tape(
        jnp.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]), jnp.tile(jnp.eye(3)[1][None], (2, 1))
    )
    given = numbers(
        keys=[[0.7, 0.0], [0.0, 0.0]],
        strength=[before_softplus(np.log(2) / 0.2), 0.0],
        gate=[0.0, OFF],
        shift=[[0.25, 0.5, 0.25], [0.0, 1.0, 0.0]],
        power=[before_softplus(1.0), OFF],
        erase=[ON, 0.0],
        add=[np.arctanh(0.5), np.arctanh(-0.25)],
    )
    after, reads = memory.access(tape, given)
    expected = [57**2 / 9118, 62**2 / 9118, 45**2 / 9118]
    close(after.weights, [expected, [0, 1, 0]], 1e-4)
    # Read first: slot 1 as it was. Then slot 1: (0 * 0 + 0.5, 1 * 0.5 - 0.25).
    close(reads, [(3249 + 0.6 * 2025) / 9118, (3844 + 1620) / 9118], 1e-4)
    close(after.memory, [[1.0, 0.0], [0.5, 0.25], [0.6, 0.8]], 1e-4)


def test_heads_write_a_row_and_read_it_back_over_the_edge(key):
    memory = make_memory("ntm", INPUT, size=SIZE, slots=5, width=1, key=key)
    tape = Tape(jnp.zeros((5, 1)), jnp.tile(jnp.eye(5)[2][None], (2, 1)))

    def move(tape, read, write, value):
        given = numbers(
            keys=np.zeros((2, 1)),
            strength=[0, 0],
            gate=[OFF, OFF],
            shift=np.eye(3)[[1 + read, 1 + write]],
            power=[ON, ON],
            erase=[ON if write else OFF],
            add=[np.arctanh(value)],
        )
        return memory.access(tape, given)

    said = [0.1, 0.2, 0.3, 0.4]
    for value in said:
        tape, _ = move(tape, 0, 1, value)
    close(tape.memory[:, 0], [0.3, 0.4, 0.0, 0.1, 0.2])
    heard = []
    for _ in said:
        tape, reads = move(tape, 1, 0, 0.0)
        heard.append(float(reads[0]))
    close(heard, said)


def test_an_episode_begins_with_a_constant_memory_and_unequal_weightings(key):
    memory = make_memory(
        "ntm", INPUT, size=SIZE, slots=8, width=4, read_heads=2, write_heads=3, key=key
    )
    state = memory.initial_state()
    assert (state.slots.memory == 1e-6).all() and (state.reads == 1e-6).all()
    assert state.reads.shape == (8,) and state.slots.weights.shape == (5, 8)
    close(state.slots.weights.sum(1), np.ones(5))
    assert float(state.slots.weights.std(1).min()) > 0.01


@pytest.mark.parametrize("controller", ["lstm", "feed-forward"])
def test_several_heads_and_both_controllers_remember(key, controller):
    memory = make_memory(
        "ntm",
        INPUT,
        size=SIZE,
        slots=4,
        width=3,
        read_heads=2,
        write_heads=2,
        controller=controller,
        key=key,
    )
    weights, static = eqx.partition(memory, eqx.is_array)
    xs = jax.random.normal(key, (4, INPUT))

    @jax.jit
    def last(weights, xs):
        memory = eqx.combine(weights, static)
        return jnp.sum(memory.unroll(memory.initial_state(), xs, jnp.zeros(4, bool))[1][-1] ** 2)

    of_weights, of_xs = jax.grad(last, (0, 1))(weights, xs)
    assert (of_xs != 0).any(axis=1).all()
    assert (of_weights.begin != 0).all()
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(of_weights))
    # Heads that are driven into every limit at once still give numbers.
    loud = jax.tree.map(lambda a: 1e4 * a, weights)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(jax.grad(last)(loud, xs)))


def test_sizes_that_do_not_fit(key):
    with pytest.raises(MemupError, match=r"memory\.shift=2: .* half of memory\.slots=4"):
        make_memory("ntm", INPUT, key=key, size=SIZE, slots=4, shift=2)
    with pytest.raises(MemupError, match="did you mean 'lstm'"):
        make_memory("ntm", INPUT, key=key, size=SIZE, controller="lsmt")
