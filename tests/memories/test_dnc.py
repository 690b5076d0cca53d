"""The Differentiable Neural Computer: writes, walks and freed slots by hand."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.make import make_memory

INPUT, SIZE, SLOTS, WIDTH = 3, 5, 8, 2
OFF, ON = -20.0, 20.0
VARIANTS = [
    {"masked_lookup": True, "dealloc": True, "sharpen": True},
    {"links": False, "controller": "feed-forward"},
]


def close(a, b, tolerance=1e-5):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def make(key, **options):
    return make_memory(
        "dnc", INPUT, size=SIZE, slots=SLOTS, width=WIDTH, **{"read_heads": 1, **options}, key=key
    )


def numbers(value=(0.0, 0.0), write=False, mode=1, free=False, key=(0.0, 0.0), powers=(), mask=()):
    """What a controller says to one reader and the writer, in the order of `access`.

    The writer takes a free slot and erases nothing; `mode` is 0 backward, 1 by content, 2 forward.
    """
    keys, erase = [*key, 0.0, 0.0], [OFF] * WIDTH
    strength, gates = [ON, 0.0], [ON, ON if write else OFF]
    modes = list(40 * np.eye(3)[mode] - 20)
    parts = [keys, erase, value, strength, [ON if free else OFF], gates, modes, powers, mask]
    return jnp.asarray(np.concatenate([np.ravel(part) for part in parts]), jnp.float32)


def only(slot):
    return jnp.eye(SLOTS)[slot]


def written(memory, rows):
    """Write each slot of `rows` in turn: it alone is free at its time."""
    slots, _ = memory.initial_slots()
    for slot, value in rows:
        slots = slots._replace(usage=1 - only(slot), write=jnp.zeros(SLOTS))
        slots, _ = memory.access(slots, numbers(value, write=True))
        close(slots.write, only(slot))
    return slots


ROWS = [(3, (0.3, 1.0)), (7, (0.7, -1.0)), (1, (-0.1, 1.0))]


@pytest.mark.parametrize("sharpen", [False, True])
def test_heads_walk_forwards_and_backwards(key, sharpen):
    memory = make(key, sharpen=sharpen)
    powers = (0.0, 0.0) if sharpen else ()

    def walk(slots, start, mode):
        slots, seen = slots._replace(read=only(start)[None]), []
        for _ in range(2):
            slots, reads = memory.access(slots, numbers(mode=mode, powers=powers))
            seen.append((int(slots.read[0].argmax()), *reads.tolist()))
        return seen

    slots = written(make(key), ROWS)
    links, precedence = slots.links
    close(links, jnp.zeros((SLOTS, SLOTS)).at[7, 3].set(1.0).at[1, 7].set(1.0))
    close(precedence, only(1))
    close(walk(slots, 3, 2), [(7, 0.7, -1.0), (1, -0.1, 1.0)], 1e-4)
    close(walk(slots, 1, 0), [(7, 0.7, -1.0), (3, 0.3, 1.0)], 1e-4)


def test_the_first_writes_take_slots_in_turn(key):
    memory = make(key)
    slots, _ = memory.initial_slots()
    for slot in range(4):
        slots, _ = memory.access(slots, numbers((1.0, 1.0), write=True))
        close(slots.write, only(slot), 1e-4)
        close(slots.usage, (np.arange(SLOTS) < slot).astype(float), 1e-4)


@pytest.mark.parametrize("dealloc", [False, True])
def test_a_freed_slot_is_written_again(key, dealloc):
    """The free gate acts on what was read the step before."""
    memory = make(key, dealloc=dealloc)
    slots = written(memory, ROWS)._replace(usage=jnp.ones(SLOTS), write=jnp.zeros(SLOTS))
    slots, reads = memory.access(slots, numbers(key=(0.7, -1.0)))
    close(slots.read[0], only(7), 1e-3)
    close(reads, [0.7, -1.0], 1e-2)
    close(slots.usage, np.ones(SLOTS))
    freed, _ = memory.access(slots._replace(read=only(7)[None]), numbers(free=True))
    close(freed.usage, 1 - only(7))
    close(freed.memory[7], [0.0, 0.0] if dealloc else [0.7, -1.0])
    again, _ = memory.access(
        slots._replace(read=only(7)[None]), numbers((0.2, 0.4), write=True, free=True)
    )
    close(again.write, only(7))
    close(again.memory[7], [0.2, 0.4] if dealloc else [0.9, -0.6])


def test_a_masked_key_compares_what_it_is_told(key):
    slots = written(make(key), [(3, (1.0, 9.0)), (7, (-1.0, 0.1))])
    looked_for = {"key": (0.5, 0.1)}
    masked = make(key, masked_lookup=True)
    slots, _ = masked.access(slots, numbers(mask=(ON, OFF, 0.0, 0.0), **looked_for))
    close(slots.read[0], only(3), 1e-3)
    slots, _ = masked.access(slots, numbers(mask=(OFF, ON, 0.0, 0.0), **looked_for))
    close(slots.read[0, 3], slots.read[0, 7], 1e-1)


@pytest.mark.parametrize("through", [False, True])
def test_usage_is_differentiated_through_writes_only_if_asked(key, through):
    memory = make(key, usage_gradient=through)
    slots, _ = memory.initial_slots()

    def usage(write):
        return memory.access(slots._replace(write=write), numbers())[0].usage.sum()

    slope = jax.grad(usage)(jnp.full(SLOTS, 0.1))
    assert bool((slope > 0.9).all() if through else (slope == 0).all())


def test_the_controller_says_as_many_numbers_as_published(key):
    w, r = 16, 4
    memory = make_memory("dnc", INPUT, size=SIZE, width=w, read_heads=r, key=key)
    assert memory.heads[1].shape == (w * r + 3 * w + 5 * r + 3,)


@pytest.mark.parametrize("options", VARIANTS, ids=["improved", "no links"])
def test_variants_keep_the_bounds_and_have_slopes(key, options):
    memory = make(key, read_heads=2, **options)
    weights, static = eqx.partition(memory, eqx.is_array)
    xs = jax.random.normal(key, (6, INPUT))

    @jax.jit
    def run(weights, xs):
        memory = eqx.combine(weights, static)
        state, ys = memory.unroll(memory.initial_state(), xs, jnp.zeros(6, bool).at[2].set(True))
        return jnp.sum(ys**2), state.slots

    for scale in (0.0, 1.0, 1e3):
        (_, slots), slope = jax.value_and_grad(run, (0, 1), has_aux=True)(weights, scale * xs)
        assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(slope))
        assert (slots.usage >= 0).all() and (slots.usage <= 1).all()
        assert (slots.read >= 0).all() and (slots.read.sum(1) <= 1 + 1e-5).all()
        assert bool(slots.links) == memory.links
        for leaf in slots.links[:1]:
            assert (jnp.diag(leaf) == 0).all() and (leaf >= 0).all()
            assert (leaf.sum(0) <= 1 + 1e-5).all() and (leaf.sum(1) <= 1 + 1e-5).all()


def test_options_that_do_not_fit(key):
    with pytest.raises(MemupError, match=r"memory\.sharpen=True: expected memory\.links=True"):
        make_memory("dnc", INPUT, key=key, size=SIZE, links="false", sharpen="true")
