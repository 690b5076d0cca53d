"""What is predicted: outcomes by hand."""

import numpy as np
import pytest
from hand_store import dict_store, hand_store
from method_parts import target as make_target

from memup.core.errors import MemupError
from memup.method.targets.table import TARGETS


def outcomes(store, target, episode, steps):
    target.check(store)
    target.prepare(store, store.ids)
    return target.values(store, np.full(len(steps), episode), np.asarray(steps))


def every_field(n):
    """What no target needs but the one that is called so."""
    last = np.arange(n) == n - 1
    return {"label": np.arange(n), "terminated": last, "value": np.ones(n, np.float32)}


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_contract(name):
    store = hand_store([4, 3], every_field)
    target = make_target(name, 0.5, ("obs",))
    target.check(store)
    ids, steps = np.array([[0, 1], [1, 0]]), np.array([[0, 1], [0, 2]])
    target.prepare(store, store.ids)
    values = target.values(store, ids, steps)
    assert values.shape[:2] == (2, 2) and values.dtype == np.float32
    alone = target.values(store, ids[1], steps[1])
    assert np.array_equal(values[1], alone) and target.lead in (0, 1)


def test_reward_is_the_next_one():
    values = outcomes(hand_store([4, 3]), make_target("reward", 0.0), 1, [0, 1])
    np.testing.assert_allclose(values, [[10.1], [10.2]], rtol=1e-6)


def test_return_is_the_discounted_sum_of_what_follows():
    target = make_target("return", 0.5)
    values = outcomes(hand_store([4, 3]), target, 0, [0, 1, 2, 3])
    expected = [0.1 + 0.5 * 0.2 + 0.25 * 0.3, 0.2 + 0.5 * 0.3, 0.3, 0.0]
    np.testing.assert_allclose(values[:, 0], expected, rtol=1e-6)


def test_a_return_without_discount_is_the_next_reward():
    store = hand_store([5])
    both = [outcomes(store, make_target(n, 0.0), 0, range(4)) for n in ("return", "reward")]
    np.testing.assert_allclose(*both, rtol=1e-6)


def test_next_observation_is_every_number_of_it():
    target = make_target("next-observation", 0.0, ("obs",))
    assert outcomes(hand_store([4]), target, 0, [0, 2]).tolist() == [[1, -1], [3, -3]]
    target = make_target("next-observation", 0.0, ("obs.cue", "obs.noise"))
    assert outcomes(dict_store([4]), target, 0, [0, 2]).tolist() == [[1, 1, -1], [0, 3, -3]]


def test_labels_that_are_none():
    def extra(n):
        return {"label": np.array([3, -1, 5, 7])[:n], "labelled": np.arange(n) != 3}

    values = outcomes(hand_store([4], extra), make_target("label", 0.0), 0, range(4))
    np.testing.assert_array_equal(values[:, 0], [3, np.nan, 5, np.nan])


def test_real_labels_may_be_negative():
    store = hand_store([3], lambda n: {"label": np.array([[-1.5, 2], [0, 0], [1, 1]], np.float32)})
    assert outcomes(store, make_target("label", 0.0), 0, [0]).tolist() == [[-1.5, 2.0]]


def test_a_field_that_is_missing_is_named():
    with pytest.raises(MemupError, match=r"Label: the store has no field 'label'.*reward"):
        make_target("label", 0.0).check(hand_store([3]))
