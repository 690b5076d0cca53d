"""Scores by table are those of the network."""

import numpy as np
import pytest

from memup.phases.scores import MOST, ContextTable


def network(columns, asked):
    """A score that depends on the context alone, and a note of what was asked."""

    def score(rows):
        asked.extend(rows.tolist())
        return sum(
            np.asarray(c)[rows].reshape(len(rows), -1).sum(1) * (i + 0.5)
            for i, c in enumerate(columns)
        )

    return score


def test_every_context_is_asked_about_once():
    rng = np.random.default_rng(0)
    columns = [rng.integers(-1, 2, (5000, 3)).astype(np.int8), rng.integers(0, 2, 5000)]
    columns[1] = columns[1].astype(np.int8)
    asked = []
    table = ContextTable(network(columns, asked))
    rows = np.arange(5000)
    for low in (0, 2500):
        part = rows[low : low + 2500]
        found = table.look_up([c[part] for c in columns], part)
        np.testing.assert_allclose(found, network(columns, [])(part), rtol=1e-6)
    assert len(asked) == 27 * 2


@pytest.mark.parametrize("column", [np.zeros((10, 3)), np.zeros((10, 0), np.int8)])
def test_wide_or_empty_contexts_are_left_to_the_network(column):
    assert ContextTable(lambda rows: rows).look_up([column], np.arange(10)) is None


def test_many_contexts_are_left_to_the_network():
    column = np.arange(2 * MOST, dtype=np.int32)
    table = ContextTable(lambda rows: rows.astype(np.float32))
    assert table.look_up([column], column) is None
    np.testing.assert_array_equal(table.look_up([column[:9]], column[:9]), np.arange(9))
