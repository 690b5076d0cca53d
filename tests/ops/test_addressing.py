"""Addressing by numbers worked by hand, and bounds that always hold."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays

from memup.ops import addressing

SLOTS, HEADS = 6, 2


def close(a, b, tolerance=1e-5):
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def one_hot(slot, slots=8):
    return jnp.zeros(slots).at[slot].set(1.0)


def fractions(*shape):
    # Compiled programs take the very smallest numbers for 0, so that ties among them differ.
    return arrays(np.float32, shape, elements=st.floats(0, 1, width=32, allow_subnormal=False))


def weightings(*shape):
    """Numbers of at least 0 that sum to at most 1 along the last axis."""
    return fractions(*shape).map(lambda a: a / np.maximum(a.sum(-1, keepdims=True), 1))


# The Neural Turing Machine's four stages, on slots (1, 0), (0, 1), (0.6, 0.8) and the key (1, 0).
# Cosines 1, 0, 0.6; strength ln 2 / 0.2 makes their powers 32, 1, 8.


def test_addressing_in_the_order_of_the_paper():
    memory = jnp.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]])
    strength = jnp.full(1, np.log(2) / 0.2)
    found = addressing.content_weights(jnp.array([[2.0, 0.0]]), strength, memory)
    close(found, [[32 / 41, 1 / 41, 8 / 41]])
    before = jnp.array([[0.0, 1.0, 0.0]])
    mixed = addressing.interpolate(found, before, jnp.full(1, 0.5))
    close(mixed, [[16 / 41, 21 / 41, 4 / 41]])
    # A quarter goes back a slot, a half stays, a quarter goes on.
    moved = addressing.circular_shift(mixed, jnp.array([[0.25, 0.5, 0.25]]))
    close(moved, [[57 / 164, 62 / 164, 45 / 164]])
    sharp = addressing.sharpen(moved, jnp.full(1, 2.0))
    close(sharp, [[57**2 / 9118, 62**2 / 9118, 45**2 / 9118]])
    close(addressing.read(sharp, memory), [[(3249 + 0.6 * 2025) / 9118, (3844 + 1620) / 9118]])


def test_content_weights_do_not_see_what_the_mask_hides():
    memory = jnp.array([[1.0, 5.0], [1.0, -7.0], [-1.0, 5.0]])
    key, strength = jnp.array([[1.0, 5.0]]), jnp.full(1, np.log(3.0) / 2)
    masked = addressing.content_weights(key, strength, memory, jnp.array([[1.0, 0.0]]))
    close(masked, [[3 / 7, 3 / 7, 1 / 7]])
    every = addressing.content_weights(key, strength, memory, jnp.ones((1, 2)))
    close(every, addressing.content_weights(key, strength, memory))


def test_content_weights_of_nothing_are_even_and_have_a_slope():
    nothing = jnp.zeros((HEADS, 3)), jnp.ones(HEADS), jnp.zeros((4, 3))
    close(addressing.content_weights(*nothing), np.full((HEADS, 4), 0.25))
    slope = jax.grad(lambda *a: jnp.sum(addressing.content_weights(*a) ** 2), (0, 1, 2))(*nothing)
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in slope)


@pytest.mark.parametrize(("by", "lands"), [(-2, 5), (-1, 6), (0, 7), (1, 0), (2, 1)])
def test_a_shift_goes_round_the_end(by, lands):
    shift = jnp.zeros((1, 5)).at[0, 2 + by].set(1.0)
    assert (addressing.circular_shift(one_hot(7)[None], shift)[0] == one_hot(lands)).all()


def test_sharpening_never_divides_by_nothing():
    """1/128 to the power of 21 is 0 in float32."""
    even = jnp.full((1, 128), 1 / 128)
    close(addressing.sharpen(even, jnp.full(1, 21.0)), even)
    for weights in (jnp.zeros((1, 4)), one_hot(2, 4)[None]):
        sharp, pull = jax.vjp(addressing.sharpen, weights, jnp.full(1, 21.0))
        close(sharp.sum(), 1)
        assert all(bool(jnp.isfinite(leaf).all()) for leaf in pull(jnp.arange(4.0)[None]))


def test_every_head_erases_before_any_adds():
    memory = jnp.array([[4.0, 8.0], [2.0, 2.0]])
    weights = jnp.array([[0.5, 0.0], [1.0, 0.5]])
    erase = jnp.array([[1.0, 0.5], [0.5, 0.0]])
    add = jnp.array([[10.0, 0.0], [0.0, 2.0]])
    # Slot 0: 4 * 0.5 * 0.5 + 5 and 8 * 0.75 * 1 + 2; slot 1: 2 * 0.75 and 2 + 1.
    close(addressing.write(memory, weights, erase, add), [[6.0, 8.0], [1.5, 3.0]])


def test_usage_by_hand():
    free, read = jnp.array([1.0, 0.5]), jnp.array([[1.0, 0.0, 0.25], [0.0, 0.5, 0.5]])
    retained = addressing.retention(free, read)
    close(retained, [0.0, 0.75, 0.75 * 0.75])
    usage, written = jnp.array([0.8, 0.5, 0.0]), jnp.array([0.0, 0.5, 0.4])
    close(addressing.next_usage(usage, written, retained), [0.0, 0.75 * 0.75, 0.4 * 0.5625])


def test_allocation_by_hand():
    """In the order of usage: slots 2, 0, 3, 1."""
    usage = jnp.array([0.5, 0.9, 0.2, 0.6])
    expected = [0.5 * 0.2, 0.1 * 0.2 * 0.5 * 0.6, 0.8, 0.4 * 0.2 * 0.5]
    close(addressing.allocation(usage), expected)


def test_an_unused_slot_gets_the_whole_write():
    close(addressing.allocation(jnp.array([0.7, 0.0, 0.3, 0.9])), one_hot(1, 4))
    close(addressing.allocation(jnp.zeros(4)), one_hot(0, 4))
    close(addressing.allocation(jnp.ones(4)), np.zeros(4))
    slope = jax.jacobian(addressing.allocation)(jnp.zeros(4))
    assert bool(jnp.isfinite(slope).all())


def test_links_walk_the_order_of_writing():
    """Slots 3, 7, 1 are written in this order."""
    links, precedence = jnp.zeros((8, 8)), jnp.zeros(8)
    for slot in (3, 7, 1):
        links = addressing.next_links(links, precedence, one_hot(slot))
        precedence = addressing.next_precedence(precedence, one_hot(slot))
    assert (precedence == one_hot(1)).all()
    assert (links == jnp.zeros((8, 8)).at[7, 3].set(1.0).at[1, 7].set(1.0)).all()
    at = jnp.stack([one_hot(3), one_hot(1)])
    for forward, backward in [(7, 7), (1, 3)]:
        at = jnp.stack(
            [addressing.follow_links(links, at)[0][0], addressing.follow_links(links, at)[1][1]]
        )
        assert (at == jnp.stack([one_hot(forward), one_hot(backward)])).all()
    ends = addressing.follow_links(links, at)
    assert (ends[0][0] == 0).all() and (ends[1][1] == 0).all()


def test_links_by_hand():
    links = jnp.array([[0.0, 0.2], [0.4, 0.0]])
    precedence, write = jnp.array([0.6, 0.3]), jnp.array([0.1, 0.5])
    close(
        addressing.next_links(links, precedence, write),
        [[0.0, 0.4 * 0.2 + 0.1 * 0.3], [0.4 * 0.4 + 0.5 * 0.6, 0.0]],
    )
    close(addressing.next_precedence(precedence, write), [0.4 * 0.6 + 0.1, 0.4 * 0.3 + 0.5])


def sorted_allocation(usage):
    """The published form: sort, running product, back by the inverse permutation."""
    usage = np.asarray(usage, np.float64)
    order = np.argsort(usage, kind="stable")
    product, result = 1.0, np.zeros_like(usage)
    for slot in order:
        result[slot] = (1 - usage[slot]) * product
        product *= usage[slot]
    return result


@settings(max_examples=60, deadline=None)
@given(usage=fractions(SLOTS))
def test_allocation_is_the_sorted_product(usage):
    given = np.asarray(addressing.allocation(jnp.asarray(usage)))
    close(given, sorted_allocation(usage), 1e-5)
    assert (given >= 0).all() and given.sum() <= 1 + 1e-5


@settings(max_examples=60, deadline=None)
@given(
    keys=arrays(np.float32, (HEADS, 3), elements=st.floats(-9, 9, width=32)),
    memory=arrays(np.float32, (SLOTS, 3), elements=st.floats(-9, 9, width=32)),
    strength=arrays(np.float32, HEADS, elements=st.floats(0, 20, width=32)),
    power=arrays(np.float32, HEADS, elements=st.floats(1, 21, width=32)),
    gate=fractions(HEADS),
    before=weightings(HEADS, SLOTS),
)
def test_tape_weightings_stay_weightings(keys, memory, strength, power, gate, before):
    weights = addressing.content_weights(*map(jnp.asarray, (keys, strength, memory)))
    weights = addressing.interpolate(weights, jnp.asarray(before), jnp.asarray(gate))
    weights = addressing.circular_shift(weights, jnp.tile(jnp.array([[0.2, 0.7, 0.1]]), (2, 1)))
    assert (weights >= 0).all() and (weights.sum(1) <= 1 + 1e-5).all()
    close(addressing.sharpen(weights, jnp.asarray(power)).sum(1), np.ones(HEADS))


@settings(max_examples=30, deadline=None)
@given(writes=weightings(5, SLOTS), reads=weightings(5, HEADS, SLOTS), free=fractions(5, HEADS))
def test_usage_and_links_keep_their_bounds(writes, reads, free):
    usage, precedence = jnp.zeros(SLOTS), jnp.zeros(SLOTS)
    links, written = jnp.zeros((SLOTS, SLOTS)), jnp.zeros(SLOTS)
    for write, read, freed in zip(*map(jnp.asarray, (writes, reads, free)), strict=True):
        usage = addressing.next_usage(usage, written, addressing.retention(freed, read))
        links = addressing.next_links(links, precedence, write)
        precedence, written = addressing.next_precedence(precedence, write), write
        assert (usage >= 0).all() and (usage <= 1 + 1e-6).all()
        assert (jnp.diag(links) == 0).all() and (links >= -1e-6).all()
        assert (links.sum(0) <= 1 + 1e-5).all() and (links.sum(1) <= 1 + 1e-5).all()
        assert precedence.sum() <= 1 + 1e-5
