"""Labels: which are classes, and that none passes through a float."""

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.data.store import EpisodeStore
from memup.method.targets.label import Label
from memup.nn.distributions import from_description, kind_of
from memup.phases.measure import families


def measured(label, family="auto", **more):
    label = np.asarray(label)
    store = EpisodeStore.from_episodes([{"obs": np.zeros(len(label)), "label": label, **more}])
    return store, Label(family).measure(store)


def values(store, facts):
    target = Label(classes=facts["classes"])
    steps = np.arange(store.steps)
    return target.values(store, np.zeros(len(steps), int), steps)


def test_large_labels_are_told_apart():
    store, facts = measured([100000040, 100000041, -1, 100000041])
    assert facts == {"classes": [[100000040, 100000041]]}
    np.testing.assert_array_equal(values(store, facts).ravel(), [0, 1, np.nan, 1])


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_labels_and_labelled_may_have_an_axis_of_one(shape):
    known = np.array([True, False, True, True]).reshape(shape)
    store, facts = measured(np.array([7, 8, 7, 9]).reshape(shape), labelled=known)
    assert facts == {"classes": [[7, 9]]}
    np.testing.assert_array_equal(values(store, facts), [[0], [np.nan], [0], [1]])


def test_each_number_of_a_label_has_classes_of_its_own():
    store, facts = measured([[5, 1], [6, 1], [2**40, 1]])
    assert facts == {"classes": [[5, 6, 2**40], [1]]}
    described = families(values(store, facts), "auto", facts["classes"])
    assert described["likelihood"]["values"] == [[0, 1, 2], [0, 0, 0]]
    assert from_description(described["likelihood"]).param_size == 6
    assert kind_of(from_description(described["likelihood"])) == "classification, 3 x 1 classes"


@pytest.mark.parametrize(
    ("label", "family", "kind"),
    [
        (np.arange(200) % 100, "auto", "classification, 100 classes"),
        (np.arange(200) % 100, "normal", "regression"),
        (np.arange(200), "auto", "regression"),
        (np.arange(200) > 99, "auto", "classification, 2 classes"),
        (np.arange(200) / 7, "auto", "regression"),
    ],
)
def test_what_whole_numbers_are_taken_for(label, family, kind):
    store, facts = measured(label, family)
    steps = np.arange(store.steps)
    value = Label(family, facts.get("classes")).values(store, np.zeros(200, int), steps)
    found = families(value, family, facts.get("classes"))["likelihood"]
    assert kind_of(from_description(found)) == kind


def test_a_label_that_was_never_seen_is_no_class():
    _, facts = measured([3, 5])
    store, _ = measured([4, 5, 6])
    np.testing.assert_array_equal(values(store, facts).ravel(), [-1, 1, -1])


def test_scores_that_float32_merges_are_refused():
    with pytest.raises(MemupError, match=r"field 'label'.*float32"):
        measured(1_700_000_000 + np.arange(200))
    with pytest.raises(MemupError, match="no step of the store has an outcome"):
        measured([-1, -1])
