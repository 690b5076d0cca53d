"""Every selector, alone and joined, chooses no target before its query, and none where none is."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from memup.build.parts import make_selector
from memup.method.selectors.information_gain import informed
from memup.method.selectors.selector import Composite, TopK, suffix_top_k
from memup.specs.spec import SELECTORS

NAMES = [*SELECTORS, "top-k+current", "current+uniform+top-k", "temperature+uniform"]
SCORES = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 7.0]), min_size=1, max_size=24)


def choose(name, score, query, k=3, seed=0):
    score, query = np.asarray(score, np.float32), np.asarray(query)
    return make_selector(name, k).select(score, query, np.random.default_rng(seed))


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
    index, weight = selector.select(scores, query, np.random.default_rng(seed), plan)
    assert index.shape == weight.shape == (len(query), selector.width)
    assert weight.dtype == np.float32 and set(np.unique(weight)) <= {0.0, 1.0}
    assert (index >= query[:, None]).all()
    assert (index[weight > 0] < len(score)).all()
    assert weight[:-1].any(axis=1).all(), "a query with a future has a target"
    assert not weight[-1].any(), "nothing remains after the last step"
    again = selector.select(scores, query, np.random.default_rng(seed))
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
    chosen = [selector.select(score, np.array([0]), rng).index[0, 0] for _ in range(4000)]
    np.testing.assert_allclose(np.bincount(chosen) / 4000, [1 / 8, 2 / 8, 5 / 8], atol=0.03)


def test_a_temperature_of_almost_zero_is_top_k():
    score = np.random.default_rng(3).permutation(12).astype(np.float32)
    cold = make_selector("temperature", 3, temperature=1e-6)
    got = cold.select(score, np.arange(12), np.random.default_rng(0))
    top = choose("top-k", score, np.arange(12))
    for t in range(12):
        assert set(got.index[t][got.weight[t] > 0]) == set(top.index[t][top.weight[t] > 0])


def test_nearest_takes_the_next_uncertain_ones():
    score = np.array([0.01, 0.7, 0.05, 0.1, 0.69, 0.02, 0.7, 0.0], np.float32)
    index, weight = choose("nearest", score, [0, 1, 2, 5, 7, 8], k=2)
    assert index.tolist() == [[1, 3], [1, 3], [3, 4], [6, 7], [7, 7], [8, 8]]
    assert weight.tolist() == [[1, 1], [1, 1], [1, 1], [1, 1], [1, 0], [0, 0]]


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


def earned(loss, queries=8000, k=1):
    """Targets of many queries at step 1 of five candidates of one nat, and their counts."""
    score = np.array([0, 1, 0, 1, 1, 0, 1, 1], np.float32)
    selector = make_selector("information-gain", k)
    plan = selector.plan(score)
    assert plan.step.tolist() == [1, 3, 4, 6, 7] and (plan.score == 1).all()
    plan = plan._replace(loss=None if loss is None else np.array(loss))
    index, weight = selector.select(score, np.full(queries, 2), np.random.default_rng(0), plan)
    return np.bincount(index[weight > 0], minlength=8) / queries


def test_earned_tries_all_candidates_while_nothing_is_known():
    np.testing.assert_allclose(earned(None), [0, 0, 0, 0.25, 0.25, 0, 0.25, 0.25], atol=0.02)


def test_earned_goes_where_the_loss_fell_and_tries_the_others_now_and_then():
    # A gain of 0.5 nats is e^10 times as good as none: all but the quarter that explores.
    share = earned([1.0, 1.0, 0.5, 1.0, 1.0])
    np.testing.assert_allclose(share[[3, 4, 6, 7]], [1 / 16, 13 / 16, 1 / 16, 1 / 16], atol=0.02)
    # A difference of one temperature is one of e.
    share = earned([1.0, 1.0, 0.95, 0.0, 0.0], queries=20_000)
    np.testing.assert_allclose(share[[3, 4]], [1 / 16, 1 / 16], atol=0.01)


def test_earned_takes_k_different_ones():
    share = earned([1.0, 1.0, 0.5, 1.0, 0.5], k=2)
    np.testing.assert_allclose(share[[4, 7]], [7 / 8, 7 / 8], atol=0.02)
    assert abs(share.sum() - 2) < 1e-9


def test_earned_keeps_few_candidates_all_over_a_long_noisy_episode():
    step = make_selector("information-gain", 1).plan(np.ones(10_000, np.float32)).step
    assert len(step) <= 65 and np.all(np.diff(step) > 0)
    assert 10 < (step < 5000).sum() < 54


def test_a_proven_selector_tries_nothing():
    score, query = np.ones(4, np.float32), np.zeros(2000, np.int64)
    for name in ("information-gain", "information-gain+current"):
        selector = make_selector(name, 1).proven()
        plan = informed(selector.plan(score), np.array([1.0, 0.2, 1.0, 1.0]))
        index, _ = selector.select(score, query, np.random.default_rng(0), plan)
        assert (index[:, 0] == 1).all() and selector.width == len(name.split("+"))
    assert make_selector("top-k", 2).proven().width == 2
