"""Every task of the table: its sequences are what the table and its own words promise."""

import numpy as np
import pytest

from memup.core.spaces import Discrete, flatten
from memup.data.store import EpisodeStore
from memup.evaluation.stored import add
from memup.method.targets.label import Label
from memup.tasks.table import EXAMPLES, TASKS, check_task_id, make_task

# Small ones, and the accuracy (or squared error) of the best constant answer.
SMALL = {
    "copy-<blanks>": ("copy-30", 1 / 8),
    "scattered-copy-<blanks>": ("scattered-copy-30", 1 / 8),
    "adding-<length>": ("adding-40", 1 / 6),
    "permuted-pixels": ("permuted-pixels", 1 / 10),
    "associative-recall": ("associative-recall", 1 / 8),
    "associative-recall-<pairs>-<blanks>": ("associative-recall-3-20", 1 / 8),
    "selective-recall-<length>": ("selective-recall-40", 1 / 8),
}
COUNT = 600


@pytest.fixture(scope="module", params=list(SMALL))
def drawn(request):
    if request.param == "permuted-pixels":
        pytest.importorskip("sklearn")
    task = make_task(SMALL[request.param][0])
    return task, task.draw(COUNT, np.random.default_rng(0)), SMALL[request.param][1]


def test_every_line_of_the_table_is_tested():
    assert set(SMALL) == {name for name in TASKS if name != "permuted-pixels:<folder>"}


@pytest.mark.parametrize("pattern", [n for n in EXAMPLES if "<folder>" not in n])
def test_examples_are_ids(pattern):
    check_task_id(EXAMPLES[pattern])


def test_sequences_have_the_promised_shape_and_values(drawn):
    task, sequences, _ = drawn
    shape = (COUNT, task.steps)
    assert sequences.label.shape == sequences.asked.shape == shape
    assert sequences.asked.dtype == bool
    spaces = flatten(task.space)
    assert set(sequences.obs) == set(spaces)
    for name, space in spaces.items():
        leaf = sequences.obs[name]
        assert leaf.shape == (*shape, *space.shape)
        assert str(leaf.dtype) == space.dtype
        low, high = (0, space.n - 1) if isinstance(space, Discrete) else (space.low, space.high)
        assert leaf.min() >= low
        assert leaf.max() <= high


def test_the_same_generator_gives_the_same_sequences_and_another_gives_others(drawn):
    task, sequences, _ = drawn
    again, other = (task.draw(COUNT, np.random.default_rng(seed)) for seed in (0, 1))
    for name, leaf in sequences.obs.items():
        np.testing.assert_array_equal(leaf, again.obs[name])
    np.testing.assert_array_equal(sequences.label, again.label)
    changed = [(leaf != other.obs[name]).any() for name, leaf in sequences.obs.items()]
    assert any(changed)


def test_as_much_is_asked_of_every_sequence_and_the_last_step_is_not_before_it(drawn):
    task, sequences, _ = drawn
    counts = sequences.asked.sum(axis=1)
    assert counts.min() == counts.max() > 0
    assert sequences.asked[:, task.steps - task.steps // 4 - 10 :].any()


def test_where_nothing_is_asked_the_label_says_nothing(drawn):
    _, sequences, _ = drawn
    silent = np.unique(sequences.label[~sequences.asked])
    assert len(silent) == 1
    if sequences.label.dtype == np.int8:
        assert silent[0] not in sequences.label[sequences.asked]


def test_an_answer_that_sees_nothing_is_at_chance(drawn):
    _, sequences, chance = drawn
    asked = sequences.label[sequences.asked]
    if asked.dtype == np.int8:
        share = np.bincount(asked).max() / len(asked)
        assert share == pytest.approx(chance, abs=0.03)
    else:
        assert asked.var() == pytest.approx(chance, abs=0.02)


def test_an_answer_that_sees_the_asking_step_alone_is_at_chance(drawn):
    task, sequences, chance = drawn
    asked = sequences.label[sequences.asked]
    if asked.dtype != np.int8 or task.finite:
        pytest.skip("what one step shows is a number")
    seen = np.stack([leaf[sequences.asked] for leaf in sequences.obs.values()], axis=1)
    right = 0
    for context in np.unique(seen, axis=0):
        right += np.bincount(asked[(seen == context).all(axis=1)]).max()
    # The best of eight answers in each of at most 32 contexts is a little above chance by luck.
    assert right / len(asked) < chance + 0.1


def test_the_store_has_outcomes_where_the_task_says(drawn):
    task, sequences, _ = drawn
    store = EpisodeStore()
    ids = add(store, task, sequences)
    steps = np.broadcast_to(np.arange(task.steps), sequences.label.shape)
    value = Label().values(store, np.broadcast_to(ids[:, None], steps.shape), steps)[..., 0]
    known = np.isfinite(value)
    np.testing.assert_array_equal(known, sequences.asked | task.dense)
    np.testing.assert_array_equal(value[known], sequences.label[known].astype(np.float32))
