"""Examination against a model whose answers are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memup
from memup.build.job import Builder, build
from memup.core.types import Query, StepInput
from memup.evaluation import reader
from memup.evaluation.task import TaskEvaluator, evaluate_task, fresh
from memup.phases.base import Workspace
from memup.tasks.base import AbstractTask, Sequences
from memup.tasks.copy import Copy
from memup.tasks.pixels import PermutedPixels

FIELDS = {
    "task": "copy-7",
    "training": "supervised",
    "method.target": "label",
    "method.query_length": 3,
    "memory": "rnn",
    "memory.size": 5,
    "encoder.size": 4,
    "method.width": 6,
}


@pytest.fixture(scope="module")
def trained():
    """A model with random parameters."""
    spec = memup.spec(**FIELDS)
    job = build(spec)
    workspace: Workspace = job.workspace
    values = [[float(v) for v in range(9)]]
    workspace.facts |= {"likelihood": {"family": "categorical", "values": values}}
    learner, params = Builder(spec).learner(workspace, jax.random.key(3))
    return learner.model(params)


def by_hand(model, drawn, context):
    """Unroll one sequence step by step and ask at each asked step."""
    losses = []
    for obs, label, asked in zip(drawn.obs["obs"], drawn.label, drawn.asked, strict=True):
        state, row = model.memory.initial_state(), []
        for t in range(len(obs)):
            x = StepInput(*map(jnp.asarray, (obs[t], 0, 0.0, t == 0)))
            state, m = model.memory.step(state, x)
            if asked[t]:
                seen = [obs[max(t - back, 0)] for back in reversed(range(context))]
                question = Query(jnp.array(seen), jnp.array(0))
                params = model.predictor(m, question)
                row.append(model.likelihood.loss(params, jnp.array([label[t]], jnp.float32)))
        losses.append(row)
    return np.array(losses)


def test_every_question_is_answered_from_the_memory_at_its_step(trained):
    drawn = Copy(7).draw(2, np.random.default_rng(0))
    loss, offset = TaskEvaluator(trained, Copy(7), 3)(drawn)
    assert loss.shape == offset.shape == (2, 10)
    np.testing.assert_allclose(loss, by_hand(trained, drawn, 3), rtol=2e-4)


def test_long_sequences_are_read_in_parts_of_a_call(trained, monkeypatch):
    drawn = Copy(7).draw(2, np.random.default_rng(0))
    whole, _ = TaskEvaluator(trained, Copy(7), 3)(drawn)
    monkeypatch.setattr(reader, "LONGEST_BLOCK", 8)
    monkeypatch.setattr(reader, "MOST_QUESTIONS", 4)
    parts, _ = TaskEvaluator(trained, Copy(7), 3)(drawn)
    np.testing.assert_allclose(parts, whole, rtol=2e-4)


def test_figures_are_means_over_all_questions(trained):
    row = evaluate_task(trained, Copy(7), 3, 70, seed=5)
    assert (row["episodes"], row["questions"]) == (70, 700)
    answers = [TaskEvaluator(trained, Copy(7), 3)(drawn) for drawn in fresh(Copy(7), 70, 5)]
    assert row["loss"] == pytest.approx(np.concatenate([a[0] for a in answers]).mean(), rel=1e-5)
    right = np.concatenate([a[1] for a in answers]) == 0
    assert row["accuracy"] == pytest.approx(right.mean())
    assert row["accuracy_ci95"][0] <= row["accuracy"] < row["accuracy_ci95"][1]


def test_it_tells_how_far_it_is(trained, monkeypatch):
    monkeypatch.setattr(reader, "LONGEST_BLOCK", 16)
    rows = []
    evaluate_task(trained, Copy(7), 3, 70, 5, rows.append)
    # 27 steps in blocks of 16: 64 sequences, then 6.
    assert [row["env_steps"] for row in rows] == [1024, 1728, 1824, 1890]
    assert rows[-1]["progress"] == 1.0


class Counted(AbstractTask):
    """A data set of 100 sequences of one step."""

    finite = True
    space, steps = None, 1

    def draw(self, count, rng, test=False):
        label = rng.permutation(100)[:count, None]
        return Sequences({"obs": label}, label, label >= 0)


def test_tests_of_a_data_set_use_each_sequence_once():
    parts = [drawn.label[:, 0] for drawn in fresh(Counted(), 500, 0)]
    assert [len(part) for part in parts] == [64, 36]
    assert sorted(np.concatenate(parts)) == list(range(100))


def test_fresh_sequences_differ_between_rounds_and_seeds():
    parts = [*fresh(Copy(1), 128, 0), *fresh(Copy(1), 64, 1)]
    first = {part.obs["obs"].tobytes() for part in parts}
    assert len(first) == 3


def test_data_sets_are_finite():
    assert PermutedPixels().finite
    assert not Copy(1).finite
