"""Every selector, alone and joined, chooses no target before its query, and none where none is."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from method_parts import selector as make_selector

from memup.core.types import Query, Window
from memup.data.store import EpisodeStore
from memup.method.distance import CODES, distance_code
from memup.method.selectors.composite import Composite
from memup.method.selectors.suffix import suffix_top_k
from memup.method.selectors.table import SELECTORS
from memup.method.selectors.top_k import TopK

NAMES = [*SELECTORS, "top-k+current", "current+uniform+top-k", "temperature+uniform"]
SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 7.0]), min_size=1, max_size=24)


def choose(name, score, query, k=3, seed=0):
    score, query = np.asarray(score, np.float32), np.asarray(query)
    return make_selector(name, k).select(score, query, rng=np.random.default_rng(seed))


def brute_force(score, t, k):
    """The k highest of score[t:]; among equals the later first."""
    order = sorted(range(t, len(score)), key=lambda step: (-score[step], -step))
    return order[:k]


@settings(max_examples=60, deadline=None)
@given(score=SCORES, k=st.integers(1, 5))
def test_suffix_top_k_is_exact(score, k):
    plan = suffix_top_k(np.asarray(score, np.float32), k)
    index, weight = plan.at(np.arange(len(score)))
    for t in range(len(score)):
        expected = brute_force(score, t, k)
        assert set(index[t][weight[t] > 0].tolist()) == set(expected), t
        assert weight[t].sum() == len(expected)


def test_suffix_top_k_on_an_episode_longer_than_its_blocks():
    score = np.random.default_rng(0).random(1000).astype(np.float32)
    index, weight = suffix_top_k(score, 4).at(np.arange(1000))
    assert weight[:997].all()
    for t in range(0, 1000, 7):
        assert set(index[t][weight[t] > 0].tolist()) == set(brute_force(score, t, 4))


def test_equal_scores_prefer_the_later_step():
    index, _ = suffix_top_k(np.array([1.0, 1.0, 0.0, 1.0], np.float32), 2).at(np.array([0]))
    assert sorted(index[0].tolist()) == [1, 3]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(score=SCORES, k=st.integers(1, 4), seed=st.integers(0, 9))
def test_contract(name, score, k, seed):
    query = np.arange(len(score) + 1)
    selector = make_selector(name, k)
    scores = np.asarray(score, np.float32)
    plan = selector.plan(scores)
    index, weight = selector.select(scores, query, rng=np.random.default_rng(seed), plan=plan)
    assert index.shape == weight.shape == (len(query), selector.width)
    assert weight.dtype == np.float32 and set(np.unique(weight)) <= {0.0, 1.0}
    assert (index >= query[:, None]).all()
    assert (index[weight > 0] < len(score)).all()
    assert weight[:-1].any(axis=1).all(), "a query with a future has a target"
    assert not weight[-1].any(), "nothing remains after the last step"
    again = selector.select(scores, query, rng=np.random.default_rng(seed))
    assert np.array_equal(again.index, index) and np.array_equal(again.weight, weight)


@pytest.mark.parametrize("name", NAMES)
def test_chance_has_a_part_where_the_name_says_so(name):
    score = np.linspace(0.5, 1, 20)
    first, second = (choose(name, score, np.arange(20), seed=s).index for s in (1, 2))
    drawn = {"temperature", "uniform", "information-gain"} & set(name.split("+"))
    assert bool(drawn) != np.array_equal(first, second)


def test_uniform_covers_the_future_evenly():
    index, _ = choose("uniform", np.zeros(10), np.full(4000, 2), k=2)
    counts = np.bincount(index.ravel(), minlength=10)
    assert counts[:2].sum() == 0 and counts.sum() == 8000
    assert abs(counts[2:] - 1000).max() < 150  # five standard deviations


def test_temperature_is_softmax_sampling():
    score = np.log([1.0, 2.0, 5.0])
    selector = make_selector("temperature", 1, temperature=1.0)
    rng = np.random.default_rng(0)
    chosen = [selector.select(score, np.array([0]), rng=rng).index[0, 0] for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(chosen) / 4000, [1 / 8, 2 / 8, 5 / 8], atol=0.03)


def test_a_temperature_of_almost_zero_is_top_k():
    score = np.random.default_rng(3).permutation(12).astype(np.float32)
    cold = make_selector("temperature", 3, temperature=1e-6)
    got = cold.select(score, np.arange(12), rng=np.random.default_rng(0))
    top = choose("top-k", score, np.arange(12))
    for t in range(12):
        assert set(got.index[t][got.weight[t] > 0]) == set(top.index[t][top.weight[t] > 0])


def test_current_is_the_step_itself():
    index, weight = choose("current", np.zeros(3), [0, 1, 2, 3])
    assert index.tolist() == [[0], [1], [2], [3]] and weight.tolist() == [[1], [1], [1], [0]]


def test_a_composite_is_its_parts_side_by_side():
    made = make_selector("top-k+current", 2)
    assert isinstance(made, Composite) and made.width == 3
    index, weight = choose("top-k+current", [0, 9, 0, 5], [0, 2, 3], k=2)
    assert index.tolist() == [[1, 3, 0], [3, 2, 2], [3, 3, 3]]
    assert weight.tolist() == [[1, 1, 1], [1, 1, 1], [1, 0, 1]]
    assert isinstance(make_selector("top-k", 2), TopK)


ROOM = 8000


def gained(gain, k=1, score=(0, 1, 0, 1, 1, 0, 1, 1)):
    """Shares of the targets of many queries at step 2; `gain` is [candidates, distance codes]."""
    score = np.array(score, np.float32)
    selector = make_selector("information-gain", k)
    plan = selector.plan(score)
    assert plan.step.tolist() == [1, 3, 4, 6, 7]
    plan = plan._replace(gain=None if gain is None else np.array(gain))
    index, weight = selector.select(
        score, np.full(ROOM, 2), rng=np.random.default_rng(0), plan=plan
    )
    return np.bincount(index[weight > 0], minlength=8) / ROOM


def flat(*gains):
    """Gains that are the same at every distance."""
    return np.repeat(np.array(gains, float)[:, None], CODES, axis=1)


def test_information_gain_tries_candidates_at_log_uniform_distances_while_nothing_is_known():
    # The next one, the one after, one of the 2nd and 3rd after; further octaves are empty.
    np.testing.assert_allclose(gained(None), [0, 0, 0, 1 / 3, 1 / 3, 0, 1 / 6, 1 / 6], atol=0.02)


def test_information_gain_goes_where_memory_explains_and_tries_the_others_now_and_then():
    # Weights: 0.1 + 1 for the one of full gain, 0.1 for others; what harms is tried as well.
    share = gained(flat(0, 0.5, 0, 0, -3))
    np.testing.assert_allclose(share[[3, 4]], [1.1 / 1.3, 0.1 / 1.3], atol=0.02)
    np.testing.assert_allclose(share[[6, 7]], 0.05 / 1.3, atol=0.01)
    # Half the gain is chosen half as often.
    share = gained(flat(0, 0.5, 0.25, 0, 0))
    np.testing.assert_allclose(share[[3, 4]], [1.1 / 1.8, 0.6 / 1.8], atol=0.02)


def test_information_gain_depends_on_the_distance():
    # From step 2 step 3 is at distance 1, and what would be gained at 0 does not count there.
    gain = np.zeros((5, CODES))
    gain[1, 0] = gain[2, 2] = 0.5
    share = gained(gain)
    np.testing.assert_allclose(share[[3, 4]], [0.1 / 1.3, 1.1 / 1.3], atol=0.02)


def test_gains_too_small_to_be_told_from_noise_decide_little():
    share = gained(flat(0, 0.001, 0, 0, 0))
    np.testing.assert_allclose(share[[3, 4]], [0.15 / 0.35, 0.1 / 0.35], atol=0.02)


def test_information_gain_takes_k_different_ones():
    share = gained(flat(0, 0.5, 0.5, 0, 0), k=2)
    assert share[3] > 0.9 and share[4] > 0.9 and abs(share.sum() - 2) < 1e-9


def test_information_gain_keeps_few_candidates_all_over_a_long_noisy_episode():
    step = make_selector("information-gain", 1).plan(np.ones(100_000, np.float32)).step
    assert len(step) <= 4097 and np.all(np.diff(step) > 0)
    assert 1800 < (step < 50_000).sum() < 2300


def test_a_greedy_selector_tries_little():
    selector = make_selector("information-gain", 1).greedy()
    score, query, rng = np.ones(4, np.float32), np.zeros(2000, np.int64), np.random.default_rng(0)
    plan = selector.plan(score)._replace(gain=np.repeat([[0], [0.5], [0], [0]], CODES, axis=1))
    index, _ = selector.select(score, query, rng=rng, plan=plan)
    assert (index[:, 0] == 1).mean() > 0.95 and selector.width == 1
    joined = make_selector("information-gain+current", 1).greedy()
    index, _ = joined.select(score, query, rng=rng, plan=[plan, None])
    assert (index[:, 1] == 0).all() and joined.width == 2


def kinds():
    """Two episodes whose steps are of two kinds: obs[0] is 1 at every third step, else 0."""
    store = EpisodeStore()
    for length in (30, 12):
        kind = (np.arange(length) % 3 == 0).astype(np.float32)
        store.add({"obs": np.stack([kind, np.zeros(length, np.float32)], axis=1)})
    return store


def taught(selector, rounds=40):
    """What a selector knows after losses of 0.1 at kind 1 near by, and of 0.7 anywhere else."""
    state, rng, shape = selector.start(), np.random.default_rng(0), (4, 3, 5, 2)
    for _ in range(rounds):
        kind = rng.integers(2, size=shape).astype(np.float32)
        far = rng.choice(np.array([0, 40], np.int32), size=shape)
        query = Query(np.stack([kind, 0 * kind], axis=-1), (), far)
        weight = (rng.random(shape) < 0.7).astype(np.float32)
        # What does not count has a loss of its own, which must not be learned.
        known = np.where((kind > 0) & (far == 0), 0.1, 0.7)
        losses = np.where(weight > 0, known, 9.0).astype(np.float32)
        window = Window(None, None, query, np.zeros((*shape, 1), np.float32), weight)
        state = selector.observe(state, window, losses, rng=rng)
    return state


def test_gains_to_expect_are_those_of_kinds_of_steps_at_their_distances():
    selector = make_selector("information-gain", 1, store=kinds())
    assert selector.adapts
    plans = {1: selector.plan(np.ones(12)), 0: selector.plan(np.array([1, 1, 0, 0, 0, 0, 1.0]))}
    gain = {episode: p.gain for episode, p in selector.informed(taught(selector), plans).items()}
    assert list(gain) == [1, 0]
    near, far = gain[1][:, distance_code(0)], gain[1][:, distance_code(40)]
    np.testing.assert_allclose(near, np.where(np.arange(12) % 3 == 0, 0.6, 0.0), atol=0.1)
    np.testing.assert_allclose(far, np.zeros(12), atol=0.1)
    np.testing.assert_allclose(gain[0][:, distance_code(0)], [0.6, 0.0, 0.6], atol=0.1)


def test_nothing_is_learned_where_nothing_counts():
    selector = make_selector("information-gain", 1)
    state, nothing = selector.start(), np.zeros((1, 1, 1, 1), np.float32)
    window = Window(None, None, Query(None, None), None, nothing)
    assert selector.observe(state, window, nothing, rng=np.random.default_rng(0)) is state
    plans = {0: selector.plan(np.ones(3))}
    assert selector.informed(state, plans) is plans, "and nothing is told"


@pytest.mark.parametrize("name", NAMES)
def test_what_a_selector_knows_is_arrays_that_a_checkpoint_keeps(name):
    selector = make_selector(name, 1, store=kinds())
    before, after = selector.start(), taught(selector, 1)
    assert jax.tree.structure(before) == jax.tree.structure(after)
    assert bool(jax.tree.leaves(before)) == selector.adapts
