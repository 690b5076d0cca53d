"""Windows against what the steps of a hand-made store say about themselves."""

import numpy as np
import pytest
from hand_store import ACTIONS, DICT_SPACE, SPACE, dict_store, hand_store, number
from method_parts import selector as make_selector, target as make_target

from memup.data.store import EpisodeStore
from memup.method.orders.base import Visit
from memup.method.orders.sequential import Sequential
from memup.method.windows import Windows

RNG = np.random.default_rng(0)


def windows(store, selector="top-k", length=4, k=1, stride=1, target="reward", space=SPACE):
    made = make_target(target, fields=("obs",))
    return Windows(store, make_selector(selector, k), made, space, ACTIONS, length, stride)


def build(builder, *visits, rows=1, count=1):
    return builder.build(list(visits), rows, count, np.random.default_rng(0))


def test_action_values_are_those_of_the_next_step():
    store = EpisodeStore()
    store.add(
        {
            "obs": np.zeros((4, 2), np.float32),
            "action": np.zeros(4, np.int8),
            "reward": np.array([0, 1, 2, 3], np.float32),
            "terminated": np.array([False, False, False, True]),
            "value": np.array([7, 8, 9, 99], np.float32),
        }
    )
    target = make_target("q-value", 0.5)
    target.check(store)
    found = target.values(store, np.zeros(3, int), np.arange(3))
    # 1 + 8/2, 2 + 9/2; the last step pays 3, and nothing is to be had afterwards.
    np.testing.assert_allclose(found[:, 0], [5.0, 6.5, 3.0])


def test_alignment():
    store = hand_store([6])
    w = build(windows(store), Visit(0, 0, 1, 5, 0, False))
    assert w.x.obs[0, 0].tolist() == [[1, -1], [2, -2], [3, -3], [4, -4]]
    assert w.x.action[0, 0].tolist() == [0, 1, 0, 1], "the previous action: of steps 0, 1, 2, 3"
    np.testing.assert_allclose(w.x.reward[0, 0], [0.1, 0.2, 0.3, 0.4], rtol=1e-6)
    assert not w.x.first.any() and w.query.tolist() == [[0, 1, 2, 3]]
    # Rising scores: the target of every query is the last step with an outcome, 4.
    assert w.context.obs[0, 0, :, 0].tolist() == [[4, -4]] * 4
    assert w.context.action[0, 0, :, 0].tolist() == [0] * 4, "the action AT the target step"
    np.testing.assert_allclose(w.target[0, 0, :, 0], [[0.5]] * 4, rtol=1e-6)
    assert w.weight[0, 0].tolist() == [[1]] * 4


def test_a_window_of_two_pieces():
    store = hand_store([12])
    w = build(windows(store), Visit(0, 0, 1, 3, 0, False), Visit(0, 0, 7, 9, 2, False))
    assert w.x.obs[0, 0, :, 0].tolist() == [1, 2, 7, 8]
    assert w.x.action[0, 0].tolist() == [0, 1, 0, 1], "of steps 0, 1, 6, 7"
    assert not w.x.first.any(), "the state and the gradient pass from one to the other"
    current = build(
        windows(store, "current"), Visit(0, 0, 1, 3, 0, False), Visit(0, 0, 7, 9, 2, False)
    )
    assert current.context.obs[0, 0, :, 0, 0].tolist() == [1, 2, 7, 8]


def test_every_number_of_many_packed_windows():
    lengths = [7, 3, 12, 5]
    store = hand_store(lengths)
    order, rows, count = Sequential(), 3, 5
    _, visits = order.advance(order.init(rows), count * 4, np.arange(4), np.array(lengths), rng=RNG)
    w = build(windows(store, "current+top-k", k=2), *visits, rows=rows, count=count)
    assert w.weight.shape == (count, rows, 4, 3) and w.target.shape == (count, rows, 4, 3, 1)
    for v in visits:
        for step in range(v.start, v.stop):
            place = v.offset + step - v.start
            n, r = divmod(place, 4)
            x = [leaf[n, v.row, r] for leaf in w.x]
            assert x[0][0] == number(v.episode, step)
            assert x[3] == (v.fresh and step == v.start)
            if not x[3]:
                assert x[1] == (v.episode + step - 1) % 2
            if step:
                np.testing.assert_allclose(x[2], number(v.episode, step) / 10, rtol=1e-6)
            last = lengths[v.episode] - 1
            weights = w.weight[n, v.row, r]
            assert weights[0] == (step < last), "the last step has no outcome of its own"
            for k in np.flatnonzero(weights):
                target = int(w.context.obs[n, v.row, r, k, 0]) - 100 * v.episode
                assert step <= target < last
                assert w.context.action[n, v.row, r, k] == (v.episode + target) % 2
                value = number(v.episode, target + 1) / 10
                np.testing.assert_allclose(w.target[n, v.row, r, k, 0], value, rtol=1e-6)


def test_an_episode_shorter_than_the_window():
    w = build(windows(hand_store([2, 6])), Visit(0, 0, 0, 2, 0, True), Visit(0, 1, 0, 2, 2, True))
    assert w.x.first[0, 0].tolist() == [True, False, True, False]
    assert w.weight[0, 0, :, 0].tolist() == [1, 0, 1, 1]
    assert w.context.obs[0, 0, [0, 2, 3], 0, 0].tolist() == [0, 104, 104]


@pytest.mark.parametrize("lengths", [[1, 5], [5, 1], [1, 1, 1]])
@pytest.mark.parametrize("selector", ["top-k", "current", "uniform", "temperature"])
def test_episodes_of_one_step_have_nothing_to_predict(lengths, selector):
    store = hand_store(lengths)
    visits = [Visit(row, row, 0, n, 0, True) for row, n in enumerate(lengths)]
    w = build(windows(store, selector, length=5), *visits, rows=len(lengths))
    for row, n in enumerate(lengths):
        assert w.weight[0, row, : n - 1].all() and not w.weight[0, row, n - 1 :].any()
        assert w.x.first[0, row].tolist() == [True] + [False] * 4


@pytest.mark.parametrize(
    "stride, expected", [(1, [0, 1, 2, 3]), (2, [1, 3]), (3, [0, 3]), (4, [3])]
)
def test_queries_every_so_many_steps_and_always_at_the_end(stride, expected):
    store = hand_store([9])
    w = build(windows(store, "current", stride=stride), Visit(0, 0, 0, 8, 0, True), count=2)
    assert w.query.tolist() == [expected] * 2
    assert w.context.obs[1, 0, :, 0, 0].tolist() == [4 + q for q in expected]


def test_dictionaries_and_labels():
    w = build(windows(dict_store([6]), space=DICT_SPACE), Visit(0, 0, 0, 4, 0, True))
    assert set(w.x.obs) == set(w.context.obs) == {"cue", "noise"}
    assert w.x.obs["cue"][0, 0].tolist() == [0, 1, 2, 0]
    assert w.context.obs["noise"][0, 0, :, 0, 0].tolist() == [4] * 4
    store = hand_store(
        [4], lambda n: {"label": np.array([3, -1, 5, 7]), "labelled": ~np.eye(4, dtype=bool)[3]}
    )
    w = build(windows(store, "current", target="label"), Visit(0, 0, 0, 4, 0, True))
    assert w.weight[0, 0, :, 0].tolist() == [1, 0, 1, 0]
    assert np.isfinite(w.target).all() and w.target[0, 0, [0, 2], 0, 0].tolist() == [3, 5]


def test_a_far_target_costs_no_more():
    store = hand_store([3000])
    w = build(windows(store), Visit(0, 0, 0, 4, 0, True))
    assert w.context.obs[0, 0, :, 0, 0].tolist() == [2998] * 4
    assert sum(leaf.size for leaf in (*w.x, *w.context, w.target, w.weight)) < 60


def test_plans_follow_the_scores():
    store = hand_store([6])
    builder, visit = windows(store), Visit(0, 0, 0, 4, 0, True)
    assert build(builder, visit).context.obs[0, 0, 0, 0, 0] == 4
    store.set_scores([0], [np.array([0, 9, 0, 0, 0, 0], np.float32)])
    builder.forget_plans()
    assert build(builder, visit).context.obs[0, 0, :, 0, 0].tolist() == [1, 1, 4, 4]


def test_a_question_may_show_several_steps_of_its_own_episode():
    store = hand_store([3, 6])
    builder = windows(store, "current", length=3)
    builder.context = 3
    w = build(builder, Visit(0, 1, 0, 3, 0, True))
    # Where nothing came before, the first step is repeated; the episode before is not seen.
    assert w.context.obs[0, 0, :, 0, :, 0].tolist() == [
        [100, 100, 100],
        [100, 100, 101],
        [100, 101, 102],
    ]
    assert w.context.action[0, 0, :, 0].tolist() == [1, 0, 1], "of the asked step alone"
