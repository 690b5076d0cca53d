"""Rounds of complete episodes, their way into the store, and the evaluation."""

import jax
import numpy as np
import pytest

from memup.agents.episodes import Player, as_fields, outcome, play_round
from memup.agents.random import RandomAgent
from memup.data.store import EpisodeStore
from memup.envs.table import make_env
from memup.envs.tmaze import TMaze
from memup.evaluation import evaluate_agent, interval, wilson

ENV = TMaze(10)


@pytest.fixture(scope="module")
def player():
    return Player(RandomAgent(2), ENV, 6, length=8)


@pytest.fixture(scope="module")
def played(player):
    return play_round(player, (), jax.random.key(3))[1:]


def test_every_copy_plays_one_whole_episode(played):
    stretches, lengths = played
    assert len(set(lengths.tolist())) > 1 and len(stretches) >= 2
    assert ((lengths >= 11) & (lengths <= 21)).all()
    fields = as_fields(ENV.observation_space, 2, stretches, lengths)
    store = EpisodeStore()
    store.extend(fields, lengths)
    total, success = outcome(stretches, lengths)
    for i in range(6):
        e = store.episode(i)
        obs, n = e["obs"], lengths[i]
        assert obs[0, 0] in (-1, 1) and not obs[1:, 0].any(), "the hint is at the start"
        assert obs[n - 2, 1] == 1 and obs[:, 1].sum() == 1, "the junction before the last step"
        assert not obs[-1].any() and e["terminated"].nonzero()[0].tolist() == [n - 1]
        right = (e["action"][n - 2] == 1) == (obs[0, 0] == 1)
        assert e["reward"].tolist() == [0.0] * (n - 1) + [4.0 if right else -3.0]
        assert total[i] == e["reward"].sum() and success[i] == right
    assert e["action"].dtype == np.int8 and obs.dtype == np.int8


def test_a_round_depends_on_its_key_alone(player, played):
    again = play_round(player, (), jax.random.key(3))[1:]
    jax.tree.map(np.testing.assert_array_equal, again, played)
    other = play_round(player, (), jax.random.key(4))[1:]
    assert not np.array_equal(other[0][0].action, played[0][0].action)


def test_learning_in_a_round_sees_every_stretch(player, played):
    seen = []
    state, stretches, _ = play_round(
        player, 0, jax.random.key(3), lambda s, t, k: seen.append(t) or s + 1
    )
    assert state == len(stretches) == len(seen) == len(played[0])


def test_a_host_environment_plays_rounds_too(played):
    env = make_env("gym:CartPole-v1", n=2)
    stretches, lengths = play_round(
        Player(RandomAgent(2), env, 9, length=16), (), jax.random.key(0)
    )[1:]
    fields = as_fields(env.observation_space, 2, stretches, lengths)
    assert len(lengths) == 2 and len(fields["obs"]) == lengths.sum()
    starts = np.cumsum(lengths) - lengths
    assert not fields["reward"][starts].any()
    ends = np.cumsum(lengths) - 1
    assert fields["terminated"][ends].all() and fields["terminated"].sum() == 2
    total, success = outcome(stretches, lengths)
    assert total.tolist() == (lengths - 1).tolist() and np.isnan(success).all()


def test_random_play_is_at_chance():
    row = evaluate_agent(RandomAgent(2), (), make_env("tmaze-10"), 1000, seed=1)
    assert row["episodes"] == 1000
    low, high = row["return_ci95"]
    assert low < row["return_mean"] < high and high - low < 0.5
    assert abs(row["return_mean"] - 0.5) < 0.35  # three standard errors
    assert abs(row["success_rate"] - 0.5) < 0.05
    np.testing.assert_allclose(row["return_mean"], 7 * row["success_rate"] - 3, atol=1e-6)
    assert 14 < row["length_mean"] < 16, "10 + uniform{0..10} actions"
    assert row["steps_per_second"] > 0 and 0.45 < row["success_ci95"][0] < row["success_ci95"][1]


def test_an_environment_that_defines_no_success():
    row = evaluate_agent(RandomAgent(2), (), make_env("gym:CartPole-v1", n=2), 3, seed=1)
    assert row["episodes"] == 3 and row["success_rate"] is None is row["success_ci95"]
    assert row["return_mean"] == row["length_mean"] > 8


def test_intervals():
    np.testing.assert_allclose(wilson(0.5, 100), (0.4038, 0.5962), atol=1e-4)
    np.testing.assert_allclose(wilson(1.0, 100), (0.9630, 1.0), atol=1e-4)
    np.testing.assert_allclose(wilson(0.0, 10), (0.0, 0.2775), atol=1e-4)
    np.testing.assert_allclose(
        interval(np.array([1.0, 2.0, 3.0])), (2 - 1.1316, 2 + 1.1316), atol=1e-4
    )
    assert interval(np.array([3.0])) == (3.0, 3.0)
