"""Ask a trained model everything that fresh sequences of a supervised task ask; constant memory."""

import time
from collections.abc import Callable, Iterator, Sequence as Row
from typing import Any

import jax
import numpy as np

from memup.data.store import EpisodeStore
from memup.evaluation.intervals import interval, wilson
from memup.evaluation.reader import ROWS, Questions, Reader
from memup.evaluation.stored import add
from memup.method.targets.label import Label
from memup.method.update import Model
from memup.nn.distributions import kind_of
from memup.tasks.base import AbstractTask, Sequences

AT_ONCE = ROWS[-1]
Classes = Row[Row[int]] | None


class TaskEvaluator:
    """Examines a model on one task.

    Args:
        model: what is examined.
        task: what is asked.
        query_length: steps that a question shows.
        tell: called with the number of steps that were read since the last call.
        classes: of the labels, see `Label`.
    """

    def __init__(
        self,
        model: Model,
        task: AbstractTask,
        query_length: int,
        tell: Callable[[int], None] = lambda steps: None,
        classes: Classes = None,
    ):
        self.task = task
        label = Label(classes=classes)
        self.reader = Reader(model, task.space, None, query_length, label, tell)

    def __call__(self, drawn: Sequences) -> tuple[np.ndarray, np.ndarray]:
        """Return loss and offset of the answers to every question, [N, Q]."""
        store = EpisodeStore()
        ids = add(store, self.task, drawn)
        asked = np.nonzero(drawn.asked)[1]
        episode = np.repeat(ids, len(asked) // len(ids))
        said = self.reader.ask(store, Questions(episode, asked, asked))
        offset = (said.value - said.outcome)[:, 0]
        return said.loss.reshape(len(ids), -1), offset.reshape(len(ids), -1)


def fresh(task: AbstractTask, count: int, seed: int) -> Iterator[Sequences]:
    """Draw sequences for a test, 64 at a time."""
    at_once = count if task.finite else AT_ONCE
    for number in range(-(-count // at_once)):
        rng = np.random.default_rng([seed, 1_000_003 + number])
        drawn = task.draw(min(at_once, count - number * at_once), rng, test=True)
        for low in range(0, len(drawn.label), AT_ONCE):
            yield jax.tree.map(lambda leaf, low=low: leaf[low : low + AT_ONCE], drawn)


def evaluate_task(
    model: Model,
    task: AbstractTask,
    query_length: int,
    sequences: int,
    seed: int,
    on_row: Callable[[dict[str, Any]], None] | None = None,
    classes: Classes = None,
) -> dict[str, Any]:
    """Examine a model on fresh sequences.

    Args:
        model: what is examined.
        task: what is asked; it may be longer than what was trained.
        query_length: steps that a question shows.
        sequences: how many; a data set may have fewer for tests.
        seed: of the examination alone.
        on_row: called after every block of steps with how far it is.
        classes: of the labels, see `Label`.

    Returns:
        {"outcomes" (see `evaluate_model`), "episodes", "questions" of all, "loss" in nats,
        "loss_ci95", "accuracy" (share of answers that are right) and "accuracy_ci95", or "mse"
        and "mse_ci95" where answers are real numbers,
        "steps_per_second"}. Intervals count sequences, not questions.
    """
    calls, done = 0, 0

    def tell(steps: int) -> None:
        nonlocal calls, done
        calls, done = calls + 1, done + steps
        how_far = {"env_steps": done, "progress": done / (sequences * task.steps)}
        if on_row:
            on_row({"phase": "evaluate", "step": calls, **how_far})

    examiner = TaskEvaluator(model, task, query_length, tell, classes)
    begin = time.perf_counter()
    answers = [examiner(drawn) for drawn in fresh(task, sequences, seed)]
    seconds = time.perf_counter() - begin
    loss, offset = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    right = (np.abs(offset) < 1e-4).mean(axis=1)
    square = (offset**2).mean(axis=1)
    if model.likelihood.finite:
        share = float(right.mean())
        measure = {"accuracy": share, "accuracy_ci95": list(wilson(share, len(right)))}
    else:
        measure = {"mse": float(square.mean()), "mse_ci95": list(interval(square))}
    return {
        "outcomes": kind_of(model.likelihood),
        "episodes": len(loss),
        "questions": loss.size,
        "loss": float(loss.mean()),
        "loss_ci95": list(interval(loss.mean(axis=1))),
        **measure,
        "steps_per_second": len(loss) * task.steps / seconds,
    }
