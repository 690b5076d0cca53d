"""What is rare: the detector of starts."""

import numpy as np

from memup.core.spaces import Box, Discrete
from memup.data import rarity
from memup.data.store import EpisodeStore

LEAVES = {"obs": Box((1,), "int8")}


def store_of(*columns):
    """Episodes of 200 steps whose observation is one number."""
    return EpisodeStore.from_episodes([{"obs": np.asarray(c)[:, None]} for c in columns])


def test_the_seldom_value_is_rare():
    obs = np.zeros(200, np.int8)
    obs[17] = 1
    store = store_of(obs, np.zeros(200, np.int8))
    found = rarity.Rarity(store, rarity.measure(store, LEAVES, np.random.default_rng(0)))
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
    found = rarity.Rarity(store, rarity.measure(store, LEAVES, rng))
    assert found.facts[0]["values"] == [0, 1]
    scores = found.rarity(store.episode(0))
    assert scores.argmax() == 63 and scores[63] > scores[20] > scores[1]


def test_equally_rare_steps_are_drawn_at_random():
    obs = np.zeros(200, np.int8)
    obs[::10] = 1
    store = store_of(obs)
    found = rarity.Rarity(store, rarity.measure(store, LEAVES, np.random.default_rng(0)))
    drawn = [found.rarest(0, 4, np.random.default_rng(seed)) for seed in range(40)]
    assert all(len(set(d.tolist())) == 4 and not (d % 10).any() for d in drawn)
    assert len(set(np.concatenate(drawn).tolist())) == 20


def test_blocks_make_no_difference(monkeypatch):
    obs = np.random.default_rng(0).integers(0, 5, 200).astype(np.int8)
    store = store_of(obs)
    found = rarity.Rarity(store, rarity.measure(store, LEAVES, np.random.default_rng(0)))
    whole = found.rarity(store.episode(0))
    monkeypatch.setattr(rarity, "BLOCK", 7)
    np.testing.assert_array_equal(found.rarity(store.episode(0)), whole)


def test_a_category_is_counted_whatever_its_number():
    """One of 33 symbols comes once: it is rare, in the middle of the numbers as at their end."""
    for marker in (16, 32):
        obs = np.random.default_rng(0).permutation(np.arange(1000) % 32)
        obs[obs >= marker] += 1
        obs[500] = marker
        store = EpisodeStore.from_episodes([{"obs": obs.astype(np.int32)}])
        facts = rarity.measure(store, {"obs": Discrete(33)}, np.random.default_rng(0))
        found = rarity.Rarity(store, facts)
        assert found.rarest(0, 1, np.random.default_rng(0)).tolist() == [500]
