"""Scores by table are those of the network."""

import numpy as np
import pytest

from memup.data.store import EpisodeStore
from memup.method.detectors.contexts import MOST, ContextTable


def store_of(**fields):
    store = EpisodeStore()
    store.extend(fields, [len(next(iter(fields.values())))])
    return store


class Network:
    """A score that depends on the context alone, and a note of what was asked."""

    def __init__(self, store):
        self.store, self.asked = store, []

    def __call__(self, rows):
        self.asked.extend(rows.tolist())
        return self.score(rows)

    def score(self, rows):
        columns = [self.store.gather(name, rows) for name in sorted(self.store.fields)]
        parts = [c.reshape(len(rows), -1).sum(1) * (i + 0.5) for i, c in enumerate(columns)]
        return sum(parts).astype(np.float32)


def table_of(store):
    network = Network(store)
    return ContextTable(store, list(store.fields), network), network


def test_every_context_is_asked_about_once():
    rng = np.random.default_rng(0)
    obs = rng.integers(-1, 2, (5000, 3)).astype(np.int8)
    store = store_of(obs=obs, action=rng.integers(0, 2, 5000).astype(np.int8))
    table, network = table_of(store)
    rows = np.arange(5000)
    for part in (rows[:2500], rows[2500:]):
        np.testing.assert_allclose(table.scores(part), network.score(part), rtol=1e-6)
    assert len(network.asked) == 27 * 2


def test_contexts_of_several_words_are_told_apart_by_every_byte():
    rng = np.random.default_rng(1)
    obs = rng.integers(0, 2, (4000, 7)).astype(np.float32)
    store = store_of(obs=obs, action=rng.integers(0, 2, 4000).astype(np.int8))
    table, network = table_of(store)
    # Sums of halves alone would not tell them apart: every number has a weight of its own.
    network.score = lambda rows: (obs[rows] @ 2.0 ** np.arange(7)).astype(np.float32)
    np.testing.assert_array_equal(table.scores(np.arange(4000)), network.score(np.arange(4000)))
    assert len(network.asked) == 2**7 * 2


@pytest.mark.parametrize("column", [np.zeros((10, 9)), np.zeros((10, 0), np.int8)])
def test_wide_or_empty_contexts_are_left_to_the_network(column, monkeypatch):
    store = store_of(obs=column)
    table = ContextTable(store, ["obs"], lambda rows: rows.astype(np.float32))
    # They may be pictures: not one is looked up in vain.
    monkeypatch.setattr(store, "gather", None)
    np.testing.assert_array_equal(table.scores(np.arange(10)), np.arange(10))


def test_contexts_that_the_table_has_no_room_for_are_left_to_the_network():
    store = store_of(obs=np.arange(2 * MOST, dtype=np.int32))
    table, network = table_of(store)
    rows = np.arange(2 * MOST)
    np.testing.assert_array_equal(table.scores(rows), network.score(rows))
    assert sorted(network.asked) == rows.tolist()
    np.testing.assert_array_equal(table.scores(rows[:9]), network.score(rows[:9]))


def test_a_context_of_several_steps_is_what_came_before_too():
    obs = np.array([0, 1, 1, 1, 0, 1, 1, 1, 2, 0, 1, 1], np.int8)
    store = store_of(obs=obs)
    asked = []

    def ask(rows):
        asked.extend(rows.tolist())
        return 10.0 * obs[np.maximum(rows - 1, 0)] + obs[rows].astype(np.float32)

    table = ContextTable(store, ["obs"], ask, 2)
    expected = [0, 1, 11, 11, 10, 1, 11, 11, 12, 20, 1, 11]
    np.testing.assert_array_equal(table.scores(np.arange(12)), expected)
    # 00, 01, 11, 10, 12, 20: each once.
    assert len(asked) == 6


def test_wide_contexts_of_several_steps_are_mixed_into_one_number():
    rng = np.random.default_rng(0)
    # 12 bytes: two words. Only the oldest and the newest step tell contexts apart.
    store = store_of(obs=np.repeat(rng.integers(0, 2, 300), 11).astype(np.int8))

    def score(rows):
        seen = store.gather("obs", store.behind(rows, 12))
        return seen @ (2.0 ** np.arange(12)).astype(np.float32)

    table = ContextTable(store, ["obs"], score, 12)
    rows = np.arange(3300)
    np.testing.assert_array_equal(table.scores(rows), score(rows))
