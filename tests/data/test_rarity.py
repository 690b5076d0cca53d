"""What is rare: the detector of starts."""

import numpy as np

from memup.data import rarity
from memup.data.store import EpisodeStore


def store_of(*columns):
    """Episodes of 200 steps whose observation is one number."""
    return EpisodeStore.from_episodes([{"obs": np.asarray(c)[:, None]} for c in columns])


def test_the_seldom_value_is_rare():
    obs = np.zeros(200, np.int8)
    obs[17] = 1
    store = store_of(obs, np.zeros(200, np.int8))
    found = rarity.Rarity(store, rarity.measure(store, ("obs",), np.random.default_rng(0)))
    steps, probability = found(0)
    assert steps[0] == 17 and probability[0] > 0.9
    np.testing.assert_allclose(probability.sum(), 1, atol=1e-5)
    assert found.rarest(0, 1, np.random.default_rng(1)).tolist() == [17]


def test_a_value_that_the_sample_lacks_is_rarer_than_all_it_holds(monkeypatch):
    obs = np.zeros(200, np.int8)
    obs[::20], obs[63] = 1, 2
    monkeypatch.setattr(rarity, "SAMPLE", 30)
    # A seed whose draws miss step 63 and meet a multiple of 20.
    rng = np.random.default_rng(1)
    store = store_of(obs)
    found = rarity.Rarity(store, rarity.measure(store, ("obs",), rng))
    assert found.facts[0]["values"] == [0, 1]
    scores = found.rarity(store.episode(0))
    assert scores.argmax() == 63 and scores[63] > scores[20] > scores[1]


def test_equally_rare_steps_are_drawn_at_random():
    obs = np.zeros(200, np.int8)
    obs[::10] = 1
    store = store_of(obs)
    found = rarity.Rarity(store, rarity.measure(store, ("obs",), np.random.default_rng(0)))
    drawn = [found.rarest(0, 4, np.random.default_rng(seed)) for seed in range(40)]
    assert all(len(set(d.tolist())) == 4 and not (d % 10).any() for d in drawn)
    assert len(set(np.concatenate(drawn).tolist())) == 20


def test_blocks_make_no_difference(monkeypatch):
    obs = np.random.default_rng(0).integers(0, 5, 200).astype(np.int8)
    store = store_of(obs)
    found = rarity.Rarity(store, rarity.measure(store, ("obs",), np.random.default_rng(0)))
    whole = found.rarity(store.episode(0))
    monkeypatch.setattr(rarity, "BLOCK", 7)
    np.testing.assert_array_equal(found.rarity(store.episode(0)), whole)
