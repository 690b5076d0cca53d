"""Ask a trained model everything that fresh sequences of a supervised task ask; constant memory."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from memup.core.tree import Params
from memup.core.types import Query, StepInput
from memup.data.queries import look_up, question
from memup.data.store import EpisodeStore
from memup.evaluation.intervals import interval, wilson
from memup.evaluation.stored import add
from memup.method.targets.label import Label
from memup.method.update import MemUP, initial_rows
from memup.tasks.base import AbstractTask, Sequences

ROWS = 64
WINDOW = 100
AT_ONCE = 20


class Read(NamedTuple):
    """What reading leaves of B rows.

    Attributes:
        rows: state of the memory, leaves [B, ...].
        kept: output of the memory at the steps that are asked about, as far as they were read,
            [B, Q, D].
    """

    rows: PyTree
    kept: Float[Array, "B Q D"]


def read(
    learner: MemUP,
    vector: Params,
    before: Read,
    x: StepInput,
    start: Int[Array, ""],
    asked: Int[Array, "B Q"],
) -> Read:
    """Read n windows of every row and keep the memory's output where something is asked.

    Args:
        learner: owner of the model.
        vector: its parameters.
        before: what was read until now.
        x: inputs, leaves [n, B, W, ...].
        start: step of the first of them.
        asked: steps that are asked about.
    """
    memory = learner.model(vector).memory

    def body(now: Read, window: tuple[StepInput, Array]) -> tuple[Read, None]:
        x, start = window
        rows, m = jax.vmap(memory.unroll)(now.rows, x)
        place = asked - start
        length = m.shape[1]
        at = jnp.clip(place, 0, length - 1)
        here = jnp.take_along_axis(m, at[..., None], axis=1)
        inside = ((place >= 0) & (place < length))[..., None]
        return Read(rows, jnp.where(inside, here, now.kept)), None

    count, _, length = x.first.shape
    return jax.lax.scan(body, before, (x, start + length * jnp.arange(count)))[0]


def answer(
    learner: MemUP,
    vector: Params,
    kept: Float[Array, "B Q D"],
    context: Query,
    target: Float[Array, "B Q O"],
) -> tuple[Float[Array, "B Q"], Float[Array, "B Q O"]]:
    """Return the loss of every outcome, and the likeliest outcomes."""
    model = learner.model(vector)

    def one(m: Array, context: Query, y: Array) -> tuple[Array, Array]:
        params = model.predictor(m, context)
        return -model.likelihood.log_prob(params, y), model.likelihood.mode(params)

    return jax.vmap(jax.vmap(one))(kept, context, target)


class TaskEvaluator:
    """Examines a model on one task.

    Args:
        learner: owner of the model.
        vector: its parameters.
        task: what is asked.
        context: steps that a question shows.
        tell: called with the number of steps that were read since the last call.
    """

    def __init__(
        self,
        learner: MemUP,
        vector: Params,
        task: AbstractTask,
        context: int,
        tell: Callable[[int], None] = lambda steps: None,
    ):
        self.learner, self.vector, self.task, self.context = learner, vector, task, context
        self.tell = tell
        self.model = learner.model(vector)
        self._read = jax.jit(partial(read, learner), donate_argnums=1)
        self._answer = jax.jit(partial(answer, learner))

    def __call__(self, drawn: Sequences) -> tuple[np.ndarray, np.ndarray]:
        """Return loss and offset of the answers to every question, [N, Q]."""
        store = EpisodeStore()
        ids = add(store, self.task, drawn)
        asked = np.nonzero(drawn.asked)[1].reshape(len(ids), -1)
        kept = self._read_all(store, ids, asked)
        rows = store.global_rows(ids[:, None], asked)
        target = Label().values(store, np.broadcast_to(ids[:, None], asked.shape), asked)
        questions = question(store, self.task.space, None, rows, self.context)
        loss, said = self._answer(self.vector, kept, questions, target)
        return np.asarray(loss), (np.asarray(said) - target)[..., 0]

    def _read_all(self, store: EpisodeStore, ids: np.ndarray, asked: np.ndarray) -> Array:
        """Read whole sequences, 2,000 steps a call."""
        rows = initial_rows(self.model.memory, len(ids))
        now = Read(rows, jnp.zeros((*asked.shape, self.model.memory.output_size)))
        stretch = min(WINDOW * AT_ONCE, -(-self.task.steps // WINDOW) * WINDOW)
        for start in range(0, self.task.steps, stretch):
            # Steps behind the end repeat the last one; nothing is asked there.
            step = np.minimum(start + np.arange(stretch), self.task.steps - 1).reshape(-1, WINDOW)
            at = store.global_rows(ids[None, :, None], step[:, None, :])
            nothing = np.zeros(at.shape, np.float32)
            first = np.zeros(at.shape, bool)
            first[0, :, 0] = start == 0
            obs = look_up(store, self.task.space, at)
            x = StepInput(obs, (), nothing, first)
            now = self._read(self.vector, now, x, jnp.asarray(start), asked)
            self.tell(len(ids) * min(stretch, self.task.steps - start))
        return now.kept


def fresh(task: AbstractTask, count: int, seed: int) -> Iterator[Sequences]:
    """Draw sequences for a test, 64 at a time."""
    at_once = count if task.finite else ROWS
    for number in range(-(-count // at_once)):
        rng = np.random.default_rng([seed, 1_000_003 + number])
        drawn = task.draw(min(at_once, count - number * at_once), rng, test=True)
        for low in range(0, len(drawn.label), ROWS):
            yield jax.tree.map(lambda leaf, low=low: leaf[low : low + ROWS], drawn)


def evaluate_task(
    learner: MemUP,
    vector: Params,
    task: AbstractTask,
    context: int,
    sequences: int,
    seed: int,
    on_row: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Examine a model on fresh sequences.

    Args:
        learner: owner of the model.
        vector: its parameters.
        task: what is asked; it may be longer than what was trained.
        context: steps that a question shows.
        sequences: how many; a data set may have fewer for tests.
        seed: of the examination alone.
        on_row: called after every 2,000 steps of 64 sequences with how far it is.

    Returns:
        {"episodes", "questions" of all, "loss" in nats, "loss_ci95", "accuracy" (share of answers
        that are right) and "accuracy_ci95", or "mse" and "mse_ci95" where answers are real numbers,
        "steps_per_second"}. Intervals count sequences, not questions.
    """
    calls, done = 0, 0

    def tell(steps: int) -> None:
        nonlocal calls, done
        calls, done = calls + 1, done + steps
        how_far = {"env_steps": done, "progress": done / (sequences * task.steps)}
        if on_row:
            on_row({"phase": "evaluate", "step": calls, **how_far})

    examiner = TaskEvaluator(learner, vector, task, context, tell)
    begin = time.perf_counter()
    answers = [examiner(drawn) for drawn in fresh(task, sequences, seed)]
    seconds = time.perf_counter() - begin
    loss, offset = (np.concatenate(parts) for parts in zip(*answers, strict=True))
    right = (np.abs(offset) < 1e-4).mean(axis=1)
    square = (offset**2).mean(axis=1)
    if examiner.model.likelihood.finite:
        share = float(right.mean())
        measure = {"accuracy": share, "accuracy_ci95": list(wilson(share, len(right)))}
    else:
        measure = {"mse": float(square.mean()), "mse_ci95": list(interval(square))}
    return {
        "episodes": len(loss),
        "questions": loss.size,
        "loss": float(loss.mean()),
        "loss_ci95": list(interval(loss.mean(axis=1))),
        **measure,
        "steps_per_second": len(loss) * task.steps / seconds,
    }
