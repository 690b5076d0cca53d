"""What is said of a model that was asked about held-out sequences."""

import numpy as np
import pytest

import memup
from memup.data.store import EpisodeStore
from memup.evaluation.model import _mean, _of_classes
from memup.evaluation.reader import alike


def test_classes_are_told_beside_the_commonest_one():
    target = [np.array([[0.0], [k < 2]]) for k in range(50)]
    row = _of_classes([np.zeros((2, 1))] * 50, target)
    assert row["accuracy"] == row["majority_accuracy"] == 0.98
    assert row["balanced_accuracy"] == 0.5
    assert row["accuracy_ci95"][0] < 0.98 < row["accuracy_ci95"][1]


def test_each_number_counts_where_it_is_known():
    true = [np.array([[0, np.nan], [1, np.nan], [0, 5.0], [np.nan, 6.0]])]
    row = _of_classes([np.array([[0.0, 5], [0, 5], [0, 5], [0, 6]])], true)
    assert row["accuracy"] == 4 / 5 and row["majority_accuracy"] == 3 / 5
    assert row["balanced_accuracy"] == 3 / 4


def test_a_long_sequence_is_read_alone():
    lengths = np.array([10, 400_000, 12, 11])
    assert [rows.tolist() for rows in alike(lengths)] == [[1], [2, 3, 0]]
    assert [len(rows) for rows in alike(np.full(100, 50))] == [64, 36]


def test_intervals_count_episodes_not_questions():
    row = _mean("loss", [np.zeros(2), np.ones(2)])
    low, high = row["loss_ci95"]
    assert row["loss"] == 0.5
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


@pytest.mark.parametrize("alternate", [True, False])
def test_targets_of_which_not_all_are_known_are_learned_and_counted(alternate):
    """Two labels a step: one at a time is known, or both in one step of ten."""
    rng, episodes = np.random.default_rng(0), []
    for number in range(64):
        obs = rng.integers(0, 2, (20, 2)).astype(np.float32)
        step = np.arange(20) + number
        there = np.stack([step % 2 == 0, step % 2 == 1], 1) if alternate else np.ones((20, 2), bool)
        there[:, 1] &= alternate | (step % 10 == 0)
        episodes.append({"obs": obs, "label": np.where(there, obs, -1).astype(np.int64)})
    spec = memup.spec(
        **{"training": "supervised", "memory": "rnn", "memory.size": 4, "method.updates": 300},
        **{"detect.updates": 300, "method.window": 5, "method.target": "label"},
        **{"method.selector": "current", "method.query_stride": 1},
    )
    store = EpisodeStore.from_episodes(episodes)
    run = memup.train(spec, store=store)
    row = run.results[-1]
    held = run.job.workspace.split_ids()[1]
    assert row["episodes"] == len(held)
    asked = sum((store.episode(int(i))["label"] >= 0).any(axis=1).sum() for i in held)
    assert row["questions"] == asked
    assert row["accuracy"] == 1 and row["balanced_accuracy"] == 1 and row["loss"] < 0.2
