"""The episode store in memory."""

import time

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.data.store import EpisodeStore


def episode(n, start=0):
    step = np.arange(start, start + n)
    return {
        "obs": np.stack([step, step + 1], axis=1).astype(np.int8),
        "action": step.astype(np.int32),
        "reward": step.astype(np.float32),
        "terminated": step == start + n - 1,
    }


def test_dtypes_and_shapes_are_kept():
    store = EpisodeStore()
    assert store.add(episode(4)) == 0
    assert store.add(episode(3)) == 1
    got = store.at([[0], [1]], [[0, 3, 1], [2, 0, 1]])
    assert {k: (v.dtype.name, v.shape) for k, v in got.items()} == {
        "obs": ("int8", (2, 3, 2)),
        "action": ("int32", (2, 3)),
        "reward": ("float32", (2, 3)),
        "terminated": ("bool", (2, 3)),
    }
    np.testing.assert_array_equal(got["action"], [[0, 3, 1], [2, 0, 1]])
    assert store.fields["obs"] == (np.dtype("int8"), (2,))
    assert (len(store), store.steps) == (2, 7)
    np.testing.assert_array_equal(store.lengths(), [4, 3])
    np.testing.assert_array_equal(store.lengths([1]), [3])


def test_rows_outside_the_episode_repeat_the_nearest_step():
    store = EpisodeStore.from_episodes([episode(4), episode(3)])
    got, valid = store.rows([0, 1], [2, -1], 4, fields=["action"])
    np.testing.assert_array_equal(got["action"], [[2, 3, 3, 3], [0, 0, 1, 2]])
    np.testing.assert_array_equal(valid, [[1, 1, 0, 0], [0, 1, 1, 1]])


def test_extend_is_many_adds():
    one, two = EpisodeStore(), EpisodeStore()
    lengths = [2, 5, 1]
    fields = episode(8)
    np.testing.assert_array_equal(one.extend(fields, lengths), [0, 1, 2])
    for end, n in zip(np.cumsum(lengths), lengths, strict=True):
        two.add({k: v[end - n : end] for k, v in fields.items()})
    for id in one.ids:
        for name, values in one.episode(int(id)).items():
            np.testing.assert_array_equal(values, two.episode(int(id))[name])
    assert one.extend(fields, [8])[0] == 3


def test_lists_are_converted():
    store = EpisodeStore.from_episodes([{"label": [1, 0, 1]}])
    assert store.episode(0)["label"].tolist() == [1, 0, 1]


def test_views_cannot_be_written_and_survive_growth():
    store = EpisodeStore(limit=1)
    store.add(episode(3))
    view = store.episode(0)["action"]
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    for _ in range(5):
        store.add(episode(3, 50))
    assert view.tolist() == [0, 1, 2]


def test_only_the_newest_are_live():
    store = EpisodeStore(limit=3)
    for i in range(50):
        store.add(episode(2, i))
    assert store.ids.tolist() == [47, 48, 49]
    assert store.steps == 6
    assert store.at(47, 1)["action"] == 48
    assert store.nbytes < 20 * EpisodeStore.from_episodes([episode(2)]).nbytes
    with pytest.raises(MemupError, match=r"episode 46 is not live: expected 47\.\.49"):
        store.at(46, 0)


def test_rollback_forgets_the_newest():
    store = EpisodeStore.from_episodes([episode(2, i) for i in range(5)], limit=4)
    store.rollback(4)
    assert store.ids.tolist() == [0, 1, 2, 3]
    assert store.add(episode(1, 9)) == 4
    assert store.at(4, 0)["action"] == 9
    with pytest.raises(MemupError, match=r"rollback to 6 episodes: expected 0\.\.5"):
        store.rollback(6)
    for _ in range(20):
        store.add(episode(2))
    with pytest.raises(MemupError, match="were dropped"):
        store.rollback(3)


def test_scores_are_mutable_and_nan_at_first():
    store = EpisodeStore.from_episodes([episode(2), episode(3), episode(1)])
    assert np.isnan(store.scores(1)).all()
    store.set_scores([2, 0], [[5.0], [1.0, 2.0]])
    assert store.scores(0).tolist() == [1, 2]
    assert np.isnan(store.scores(1)).all()
    assert store.scores(2).dtype == np.float32
    store.set_scores([0, 1, 2], np.arange(6), name="other")
    assert store.gather("other", store.global_rows(1, [0, 2])).tolist() == [2, 4]
    id = store.add(episode(2), score=[7, 8])
    assert store.scores(id).tolist() == [7, 8]
    assert np.isnan(store.scores(id, "other")).all()
    with pytest.raises(MemupError, match=r"scores 'score' of shape \[2\]: expected \[3\]"):
        store.set_scores([1], [[1.0, 2.0]])
    with pytest.raises(MemupError, match="a field has this name"):
        store.set_scores([1], [[1.0, 2.0, 3.0]], name="action")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"obs": np.zeros((3, 2), np.int16)}, "field 'obs' is int16 .* expected int8"),
        ({"obs": np.zeros((3, 5), np.int8)}, r"field 'obs' is int8 \[5\] .* expected int8 \[2\]"),
        ({"reward": np.array([0, np.nan, 0], np.float32)}, "field 'reward' .* at step 1"),
        ({"action": np.zeros(2, np.int32)}, "field 'action' has 2 steps; expected 3"),
        ({"acton": np.zeros(3, np.int32)}, "unknown field of an episode 'acton'.*'action'"),
        ({"action": None}, "lacks field 'action'"),
        ({"action": 3}, "field 'action' is 3; expected one value a step"),
        ({"action": ["a", "b", "c"]}, "field 'action' has dtype"),
        ({"action": [[1], [1, 2], [1]]}, "its steps differ in shape"),
    ],
)
def test_an_episode_that_does_not_fit_is_refused(change, message):
    store = EpisodeStore.from_episodes([episode(3)])
    bad = {k: v for k, v in (episode(3) | change).items() if v is not None}
    with pytest.raises(MemupError, match=message):
        store.add(bad)
    assert (len(store), store.steps) == (1, 3)
    store.add(episode(2))


def test_an_empty_episode_is_refused():
    store = EpisodeStore()
    for bad in ({}, {"a": np.zeros(0)}, {"a": 1.0}):
        with pytest.raises(MemupError):
            store.add(bad)
    with pytest.raises(MemupError, match="'a' is not finite at step 1 of episode 1"):
        store.extend({"a": [1.0, 2.0, np.inf]}, [1, 2])
    for name in ("a/b", "..", "", "index", "a b"):
        with pytest.raises(MemupError, match="field name"):
            store.add({name: [1]})
    assert len(store) == 0


def test_an_empty_store_says_so():
    store = EpisodeStore()
    for ask in (lambda: store.at(0, 0), lambda: store.rows([0], [0], 2)):
        with pytest.raises(MemupError, match="the store is empty"):
            ask()
    assert (len(store), store.steps, store.ids.tolist(), store.lengths().tolist()) == (0, 0, [], [])


def test_a_step_outside_its_episode_is_refused():
    store = EpisodeStore.from_episodes([episode(3)])
    for step in (-1, 3):
        with pytest.raises(MemupError, match=rf"step {step}: expected 0\.\.2"):
            store.at([0, 0], [0, step])
    with pytest.raises(MemupError, match=r"unknown field 'acton'"):
        store.at(0, 0, fields=["acton"])


def fastest(store, last):
    times = []
    for _ in range(20):
        begin = time.perf_counter()
        store.at(np.zeros(50, int), np.arange(last - 50, last))
        store.rows(np.zeros(4, int), np.arange(4), 20)
        times.append(time.perf_counter() - begin)
    return min(times)


def test_the_cost_of_a_look_up_does_not_grow_with_the_episode():
    short, long = (EpisodeStore.from_episodes([{"x": np.zeros(n)}]) for n in (1000, 1_000_000))
    assert fastest(long, 1_000_000) < 10 * fastest(short, 1000)
