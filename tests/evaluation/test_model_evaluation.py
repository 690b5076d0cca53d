"""What is said of a model that was asked about held-out sequences."""

import numpy as np
import pytest

import memup
from memup.data.store import EpisodeStore
from memup.evaluation.model import _alike, _interval, _of_classes


def test_classes_are_told_beside_the_commonest_one():
    target = np.array([0.0] * 98 + [1.0] * 2)[:, None]
    row = _of_classes(np.zeros((100, 1)), target, np.ones(100, int))
    assert row["accuracy"] == row["majority_accuracy"] == 0.98
    assert row["balanced_accuracy"] == 0.5
    assert row["accuracy_ci95"][0] < 0.98 < row["accuracy_ci95"][1]


def test_a_long_sequence_is_read_alone():
    lengths = np.array([10, 400_000, 12, 11])
    assert [ids.tolist() for ids in _alike(np.arange(4), lengths)] == [[1], [2, 3, 0]]
    assert [len(ids) for ids in _alike(np.arange(100), np.full(100, 50))] == [64, 36]


def test_intervals_count_episodes_not_questions():
    values = np.array([0.0, 0.0, 1.0, 1.0])
    low, high = _interval(values, np.array([2, 2]))
    assert high - 0.5 == pytest.approx(1.96 * np.std([-0.5, 0.5], ddof=1) / np.sqrt(2))
    assert low == pytest.approx(1 - high)


@pytest.mark.parametrize("count", [1, 64])
def test_nothing_is_judged_on_what_it_was_trained_on(count):
    rng = np.random.default_rng(0)
    episodes = [
        {"obs": rng.normal(size=(6, 2)).astype(np.float32), "label": rng.integers(0, 2, 6)}
        for _ in range(count)
    ]
    spec = memup.spec(
        **{"training": "supervised", "memory": "rnn", "memory.size": 4, "method.updates": 10},
        **{"detect.updates": 10, "method.window": 3, "method.target": "label"},
    )
    row = memup.train(spec, store=EpisodeStore.from_episodes(episodes)).results[-1]
    if count == 1:
        assert "accuracy" not in row and "too few sequences" in row["note"]
        return
    assert 0 < row["episodes"] < 64 and row["questions"] == 6 * row["episodes"]
    assert row["accuracy_ci95"][0] <= row["accuracy"] <= row["accuracy_ci95"][1]
    assert row["loss_ci95"][0] < row["loss"] < row["loss_ci95"][1]
    assert 0.5 <= row["majority_accuracy"] < 1
