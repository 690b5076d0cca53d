"""Rounds of complete episodes, their way into the store, and the evaluation."""

import jax
import numpy as np
import pytest

from memup.acting.device import DeviceVectorEnv
from memup.acting.make import vector_env
from memup.acting.recorder import EpisodeRecorder
from memup.acting.rounds import learn_round, play_round
from memup.agents.random import RandomAgent
from memup.data.store import EpisodeStore
from memup.envs.table import make_env
from memup.envs.tmaze import TMaze
from memup.evaluation.agent import Evaluation
from memup.evaluation.intervals import interval, wilson

ENV = TMaze(10)
AGENT = RandomAgent(ENV.action_space)


@pytest.fixture(scope="module")
def copies():
    return DeviceVectorEnv(ENV, 6)


def recorder(env, store=None, each=1, **more):
    store = EpisodeStore() if store is None else store
    return EpisodeRecorder(env.observation_space, env.action_space, env.stats(each), store, **more)


def play(env, key=3, store=None, each=1):
    """Play a round; return what was played and the store it went into."""
    played = recorder(env, store, each)
    play_round(env, AGENT, (), played, key=jax.random.key(key))
    played.add_to_store()
    return played, played.store


def content(store):
    return [store.episode(i) for i in range(len(store))]


def test_every_copy_plays_whole_episodes(copies):
    played, store = play(copies, each=3)
    lengths = played.lengths
    assert lengths.shape == (6, 3) and len(set(lengths.ravel().tolist())) > 1
    assert ((lengths >= 11) & (lengths <= 21)).all()
    assert played.steps == 6 * lengths.sum(axis=1).max(), "no step that no copy needs"
    for i, e in enumerate(content(store)):
        obs, n = e["obs"], lengths.ravel()[i]
        assert len(obs) == n
        assert obs[0, 0] in (-1, 1) and not obs[1:, 0].any(), "the hint is at the start"
        assert obs[n - 2, 1] == 1 and obs[:, 1].sum() == 1, "the junction before the last step"
        assert not obs[-1].any() and e["terminated"].nonzero()[0].tolist() == [n - 1]
        right = (e["action"][n - 2] == 1) == (obs[0, 0] == 1)
        assert e["reward"].tolist() == [0.0] * (n - 1) + [4.0 if right else -3.0]
        stats = played.stats
        assert stats.returns.ravel()[i] == e["reward"].sum()
        assert stats.successes.ravel()[i] == right
    assert e["action"].dtype == np.int8 and obs.dtype == np.int8


def test_a_round_depends_on_its_key_alone(copies):
    one, again, other = (content(play(copies, key=key)[1]) for key in (3, 3, 4))
    jax.tree.map(np.testing.assert_array_equal, one, again)
    assert not np.array_equal(other[0]["action"][:8], one[0]["action"][:8])


def test_a_round_does_not_depend_on_how_it_is_cut(copies, monkeypatch):
    whole, _ = play(copies, each=2)
    monkeypatch.setattr("memup.acting.rounds.STEPS", 7)
    monkeypatch.setattr("memup.acting.rounds.MORE_STEPS", 9)
    monkeypatch.setattr("memup.acting.rounds.MORE_AFTER", 2)
    cut, store = play(copies, each=2)
    lengths = [len(mine) for _, mine in cut._parts]
    assert lengths[:4] == [7, 7, 9, 9] and cut.steps == 6 * cut.lengths.sum(axis=1).max()
    assert [len(e["obs"]) for e in content(store)] == cut.lengths.ravel().tolist()
    assert whole.lengths.shape == cut.lengths.shape


def learn_in(env, played, learn, length=8, values=None):
    return learn_round(env, AGENT, 0, played, learn, length, key=jax.random.key(3), values=values)


def test_values_are_stored_beside_their_steps(copies):
    def values(state, trajectory):
        return trajectory.step.obs[..., 2] + 10.0 * trajectory.action

    def stored(values):
        played = recorder(copies, valued=True)
        learn_in(copies, played, lambda s, t, k: s, values=values)
        played.add_to_store()
        return content(played.store)

    for e in stored(values):
        np.testing.assert_array_equal(e["value"], e["obs"][:, 2] + 10.0 * e["action"])
    assert not any(e["value"].any() for e in stored(lambda state, trajectory: None))


def test_long_episodes_wait_on_disk(copies, tmp_path, monkeypatch):
    in_memory, expected = play(copies, each=2)
    monkeypatch.setattr("memup.acting.recorder.HELD_BYTES", 100)
    spilled, store = play(copies, store=EpisodeStore(tmp_path / "store"), each=2)
    assert spilled._kinds, "it did spill"
    jax.tree.map(np.testing.assert_array_equal, content(store), content(expected))
    jax.tree.map(np.testing.assert_array_equal, spilled.stats, in_memory.stats)
    assert not (tmp_path / "store" / "scratch").exists()
    jax.tree.map(
        np.testing.assert_array_equal, content(EpisodeStore.open(store.path)), content(store)
    )


def test_learning_in_a_round_sees_every_stretch(copies):
    seen, played = [], recorder(copies)
    state = learn_in(copies, played, lambda s, t, k: seen.append(t) or s + 1)
    assert state == len(seen) == played.steps // (8 * 6) >= 2
    played.add_to_store()
    assert [len(e["obs"]) for e in content(played.store)] == played.lengths.ravel().tolist()


def test_a_host_environment_plays_rounds_too():
    env = vector_env(make_env("gym:CartPole-v1", n=2), 9)
    played, store = play(env, key=0, each=2)
    assert played.lengths.shape == (2, 2) and len(store) == 4
    for e in content(store):
        assert e["reward"][0] == 0 and e["terminated"].nonzero()[0].tolist() == [len(e["obs"]) - 1]
    assert played.stats.returns.tolist() == (played.lengths - 1).tolist()
    assert np.isnan(played.stats.successes).all()
    assert played.steps == 2 * played.lengths.sum(axis=1).max()


def test_random_play_is_at_chance():
    evaluation = Evaluation(AGENT, make_env("tmaze-10"), 1000, seed=3)
    evaluation._steps = 1 << 29  # as after many short rounds
    row = evaluation.run(())
    assert row["episodes"] == 1000
    low, high = row["return_ci95"]
    assert low < row["return_mean"] < high and high - low < 0.5
    assert abs(row["return_mean"] - 0.5) < 0.35  # three standard errors
    assert abs(row["success_rate"] - 0.5) < 0.05
    np.testing.assert_allclose(row["return_mean"], 7 * row["success_rate"] - 3, atol=1e-6)
    assert 14 < row["length_mean"] < 16, "10 + uniform{0..10} actions"
    assert row["steps_per_second"] > 0 and 0.45 < row["success_ci95"][0] < row["success_ci95"][1]


def test_an_environment_that_defines_no_success():
    row = Evaluation(AGENT, make_env("gym:CartPole-v1", n=2), 3, seed=1).run(())
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


def test_pieces_do_not_change_an_evaluation():
    rows, at = [], []
    for steps in (3, 512):
        evaluation = Evaluation(AGENT, make_env("tmaze-10"), 5, seed=2)
        evaluation._steps, where, done = steps, evaluation.start(()), False
        while not done:
            evaluation._steps = steps  # a machine of another speed cuts elsewhere
            where, done = evaluation.advance((), where)
            at.append(evaluation.progress(where)["env_steps"])
        rows.append({**evaluation.row(where), "steps_per_second": None})
    assert rows[0] == rows[1] and len(at) > 4 and at[0] == 3 * 5


def test_copies_played_in_two_halves_are_the_same_copies(monkeypatch):
    class Repeats(RandomAgent):
        def act(self, state, carry, step, *, key, greedy=False):
            return carry, (step.obs[:, 2] > 0).astype(np.int32), ()

    found = []
    for least in (8, 99):
        monkeypatch.setattr("memup.acting.device.LEAST_SPLIT", least)
        evaluation = Evaluation(Repeats(ENV.action_space), make_env("tmaze-10"), 8, seed=2)
        at, done = evaluation.start(()), False
        while not done:
            at, done = evaluation.advance((), at)
        found.append(at)
    for name in ("total", "length", "success"):
        np.testing.assert_array_equal(found[0][name], found[1][name])
    assert len(set(found[0]["length"][0].tolist())) > 1


def test_rounds_on_the_host_share_one_compilation():
    traced = []

    class Noted(RandomAgent):
        def act(self, *args, **kwargs):
            traced.append(1)
            return super().act(*args, **kwargs)

    evaluation = Evaluation(Noted(ENV.action_space), make_env("gym:CartPole-v1", n=2), 6, seed=1)
    assert evaluation.run(())["episodes"] == 6 and evaluation.rounds == 3
    assert len(traced) == 1
