"""A memory that reads events only, and which steps are events."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hand_store import DICT_SPACE

import memup
from memup.core.errors import MemupError
from memup.core.spaces import Box, flatten
from memup.core.types import StepInput
from memup.data import rarity
from memup.data.store import EpisodeStore
from memup.memories.base import AbstractCell
from memup.memories.make import make_memory
from memup.nn.encoders import InputEncoder
from memup.nn.events import EventEncoder, ObservationRarity

INPUT, STEPS = 3, 8


@pytest.mark.parametrize("clock", [0, 4])
def test_what_is_left_out_changes_nothing(clock):
    memory = make_memory("gru", INPUT, key=jax.random.key(0), clock=clock, events=True, size=5)
    event = jnp.array([1, 0, 0, 1, 1, 0, 1, 0])
    xs = jax.random.normal(jax.random.key(1), (STEPS, INPUT)).at[:, 0].set(event)
    first = jnp.arange(STEPS) == 0
    begin = memory.initial_state()
    state, ys = memory.unroll(begin, xs, first)
    read = np.flatnonzero(event)
    last = [read[read <= t][-1] for t in range(STEPS)]
    np.testing.assert_array_equal(ys, ys[np.array(last)], "it gives what it gave last")
    other, ys2 = memory.unroll(begin, xs.at[1:3, 1:].set(7.0), first)
    np.testing.assert_array_equal(ys2, ys)
    jax.tree.map(np.testing.assert_array_equal, other, state)
    if not clock:  # a clock goes on counting
        _, alone = memory.unroll(begin, xs[read], first[read])
        np.testing.assert_allclose(alone, ys[read], atol=1e-6)


def test_the_gradient_passes_unchanged_over_what_is_left_out():
    memory = make_memory("lstm", INPUT, key=jax.random.key(0), events=True, size=5)

    def last(x, blanks):
        xs = jnp.concatenate([x[None], jnp.zeros((blanks, INPUT))])
        return memory.unroll(memory.initial_state(), xs, jnp.arange(blanks + 1) == 0)[1][-1].sum()

    near, far = (jax.grad(last)(jnp.ones(INPUT), blanks) for blanks in (1, 500))
    np.testing.assert_array_equal(near, far)
    assert jnp.abs(near[1:]).min() > 0


@pytest.mark.parametrize("name", ["lstm", "window-transformer"])
def test_stepping_from_event_to_event_is_as_good_as_scanning_all(name):
    """With a gradient and without, over rows that have other events, also where lives begin."""
    options = {"lstm": {"size": 5}, "window-transformer": {"size": 4, "heads": 1, "window": 3}}
    key = jax.random.key(0)
    memory = make_memory(name, INPUT, key=key, events=True, **options[name])
    xs = jax.random.normal(jax.random.key(1), (4, STEPS, INPUT))
    first = jax.random.bernoulli(jax.random.key(2), 0.2, (4, STEPS)).at[2:, 0].set(True)
    # The third row is full of events, the last one has none.
    xs = xs.at[2, :, 0].set(1).at[3, :, 0].set(-1)
    state, _ = memory.unroll(memory.initial_state(), xs[0] + 1, first[0])

    def loss(unroll, memory, xs):
        after, ys = jax.vmap(unroll, (None, None, 0, 0))(memory, state, xs, first)
        return jnp.sum(jnp.sin(ys)), (after, ys)

    unrolls = type(memory).unroll, AbstractCell.unroll
    close = partial(jax.tree.map, partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5))
    close(*(loss(unroll, memory, xs) for unroll in unrolls))
    close(*(eqx.filter_grad(partial(loss, u), has_aux=True)(memory, xs) for u in unrolls))
    close(*(jax.grad(partial(loss, u, memory), has_aux=True)(xs) for u in unrolls))


def test_rarity_on_the_device_is_that_of_the_store(monkeypatch):
    monkeypatch.setattr(rarity, "SAMPLE", 40)  # so that some values are not in it
    rng = np.random.default_rng(0)
    obs = {
        "noise": rng.normal(size=(90, 2)).astype(np.float32) ** 3,
        "cue": rng.choice(3, size=90, p=[0.95, 0.04, 0.01]).astype(np.int8),
    }
    store = EpisodeStore.from_episodes([{f"obs.{name}": leaf for name, leaf in obs.items()}])
    facts = rarity.measure(store, flatten(DICT_SPACE), rng)
    assert {"values" in fact for fact in facts} == {True, False}
    expected = rarity.Rarity(store, facts).rarity(store.episode(0))
    found = jax.vmap(ObservationRarity.of(DICT_SPACE, facts))(jax.tree.map(jnp.asarray, obs))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_rare_steps_and_first_ones_are_events():
    fact = {"field": "obs", "number": 0, "mean": 0.1, "std": 0.5}
    fact |= {"values": [0.0, 1.0], "surprise": [0.05, 3.0], "unseen": 6.0}
    space = Box((1,), "float32")
    inner = InputEncoder(space, None, 4, key=jax.random.key(0), dropout=0.99)
    encoder = EventEncoder(inner, ObservationRarity.of(space, [fact]), 5.0)
    obs = jnp.array([0.0, 0.0, 1.0, 2.0])[:, None]
    none = jnp.zeros(4)
    x = StepInput(obs, none.astype(int), none, jnp.array([True, False, False, False]))
    told = jax.vmap(encoder)(x)
    assert told.shape == (4, encoder.output_size) == (4, 5)
    # Rarities 0, 0, 5.8 and 11.8.
    assert told[:, 0].tolist() == [1, 0, 1, 1]
    dropped = jax.vmap(encoder)(x, jax.random.split(jax.random.key(1), 4))
    assert dropped[:, 0].tolist() == [1, 0, 1, 1], "what says so is never dropped"
    assert jnp.any(dropped[:, 1:] != told[:, 1:])


def test_events_need_stored_observations():
    with pytest.raises(MemupError, match=r"method\.events=3: expected stored episodes"):
        memup.train(memup.spec(env="tmaze-10", training="end-to-end", **{"method.events": 3}))
