"""A trained model over stored sequences: it reads them block by block and is asked on the way.

What is held at a time is bounded in bytes, however long the sequences are. Rows are read together
only where their lengths are alike: a long sequence among short ones costs little more than itself.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from memup.core.spaces import Space, leaf_bytes
from memup.core.tree import Params, ravel, rebuilder
from memup.core.types import Query, State, StepInput
from memup.data.queries import inputs, question
from memup.data.store import EpisodeStore
from memup.memories.encoded import initial_carry
from memup.method.targets.base import AbstractTarget, known_numbers
from memup.method.update import Model

ROWS = (1, 4, 16, 64)
LONGEST_BLOCK, SHORTEST_BLOCK = 512, 16
BLOCK_BYTES = 16 << 20
MOST_QUESTIONS, LEAST_QUESTIONS = 4096, 64


class Questions(NamedTuple):
    """What is asked of a model, in any order.

    Attributes:
        episode: id in the store, [N].
        asked: step whose memory answers, [N].
        target: step whose outcome is asked for, not before it, [N].
    """

    episode: Int[np.ndarray, " N"]
    asked: Int[np.ndarray, " N"]
    target: Int[np.ndarray, " N"]


class Answers(NamedTuple):
    """What a model said.

    Attributes:
        loss: -log q of the numbers of the outcome that are known, in nats, [N]; NaN where none is.
        value: the likeliest outcome, [N, O].
        outcome: what it was, NaN where that is not known, [N, O].
    """

    loss: Float[np.ndarray, " N"]
    value: Float[np.ndarray, "N O"]
    outcome: Float[np.ndarray, "N O"]


class Reader:
    """Lets one model read stored sequences and answer.

    Args:
        model: memory, predictor and the family of the outcomes.
        observation_space: what is seen.
        action_space: what is done; None where there are no actions and no rewards.
        query_length: steps that a question shows.
        target: what is asked for.
        tell: called with the number of steps that were read since the last call.
    """

    def __init__(
        self,
        model: Model,
        observation_space: Space,
        action_space: Space | None,
        query_length: int,
        target: AbstractTarget,
        tell: Callable[[int], None] = lambda steps: None,
    ):
        self.model, self.target, self.tell = model, target, tell
        self.spaces, self.query_length = (observation_space, action_space), query_length
        self._step_bytes = leaf_bytes(observation_space) + 4 * observation_space.size
        # Parameters are an argument, or each program would hold a copy of them.
        self._vector, rebuild = ravel(model), rebuilder(lambda key: model)

        def read(params: Params, states: State, x: StepInput) -> tuple[State, Array]:
            return jax.vmap(rebuild(params).memory.unroll)(states, x)

        def answer(
            params: Params, m: Array, row: Array, place: Array, query: Query, y: Array
        ) -> tuple[Array, Array]:
            model = rebuild(params)
            params = jax.vmap(model.predictor)(m[row, place], query)
            return -model.likelihood.log_prob(params, y), model.likelihood.mode(params)

        self._read, self._answer = jax.jit(read, donate_argnums=1), jax.jit(answer)

    def ask(self, store: EpisodeStore, questions: Questions) -> Answers:
        """Return the answers to N questions, in their order."""
        episode, asked, target = (np.asarray(leaf, np.int64) for leaf in questions)
        found = self.target.values(store, episode, target)
        found = np.where(np.isfinite(found), found, np.nan).astype(np.float32)
        out = Answers(np.full(len(asked), np.nan, np.float32), np.zeros_like(found), found)
        order = np.lexsort((asked, episode))
        begins = np.unique(episode[order], return_index=True)[1]
        groups = np.split(order, begins[1:])
        needed = np.array([asked[group[-1]] + 1 for group in groups], np.int64)
        questions = Questions(episode, asked, target)
        for rows in alike(needed):
            together = [groups[i] for i in rows]
            self._ask_together(store, questions, together, needed[rows], out)
        return out

    def _ask_together(
        self,
        store: EpisodeStore,
        questions: Questions,
        groups: list[np.ndarray],
        needed: Int[np.ndarray, " B"],
        out: Answers,
    ) -> None:
        """Read some sequences side by side, a block at a time, and answer on the way."""
        rows = next(n for n in ROWS if n >= len(groups))
        width = self._width(rows, int(needed.max()))
        ids = np.array([questions.episode[group[0]] for group in groups])
        ids = np.pad(ids, (0, rows - len(ids)), mode="edge")
        states = jax.tree.map(jnp.copy, initial_carry(self.model.memory, rows))
        at = [questions.asked[group] for group in groups]
        for start in range(0, int(needed.max()), width):
            states, m = self._read(self._vector, states, self._block(store, ids, start, width))
            self.tell(int(np.clip(needed - start, 0, width).sum()))
            cuts = [np.searchsorted(steps, (start, start + width)) for steps in at]
            due = [group[low:high] for group, (low, high) in zip(groups, cuts, strict=True)]
            row = np.repeat(np.arange(len(due)), [len(part) for part in due])
            self._answer_all(store, questions, np.concatenate(due), row, start, m, out)

    def _width(self, rows: int, longest: int) -> int:
        """Return how many steps a block has: a power of two, so that few shapes are compiled."""
        width = min(LONGEST_BLOCK, max(SHORTEST_BLOCK, 1 << (longest - 1).bit_length()))
        step = rows * (self._step_bytes + 4 * self.model.memory.output_size)
        while width > 1 and width * step > BLOCK_BYTES:
            width //= 2
        return width

    def _block(
        self, store: EpisodeStore, ids: Int[np.ndarray, " B"], start: int, width: int
    ) -> StepInput:
        """Look up steps [start, start + width); behind its end a sequence repeats its last one."""
        step = np.minimum(start + np.arange(width), store.lengths(ids)[:, None] - 1)
        first = np.zeros(step.shape, bool)
        first[:, 0] = start == 0
        return inputs(store, *self.spaces, np.broadcast_to(ids[:, None], step.shape), step, first)

    def _answer_all(
        self,
        store: EpisodeStore,
        questions: Questions,
        numbers: Int[np.ndarray, " N"],
        row: Int[np.ndarray, " N"],
        start: int,
        m: Float[Array, "B W D"],
        out: Answers,
    ) -> None:
        """Answer the questions that fall into a block, so many at once as have room."""
        room = BLOCK_BYTES // (self.query_length * self._step_bytes)
        most = int(np.clip(1 << (room.bit_length() - 1), 1, MOST_QUESTIONS))
        for low in range(0, len(numbers), most):
            some, of = numbers[low : low + most], row[low : low + most]
            count = min(most, max(LEAST_QUESTIONS, 1 << (len(some) - 1).bit_length()))
            padded = np.pad(some, (0, count - len(some)), mode="edge")
            of = np.pad(of, (0, count - len(some)), mode="edge")
            episode, asked, target = (leaf[padded] for leaf in questions)
            query = question(
                store, *self.spaces, store.global_rows(episode, target), self.query_length
            )
            query = query._replace(distance=(target - asked).astype(np.int32))
            y, known = known_numbers(out.outcome[padded])
            loss, value = self._answer(self._vector, m, of, asked - start, query, y)
            loss = np.where(known, np.asarray(loss), np.nan)
            out.loss[some], out.value[some] = loss[: len(some)], np.asarray(value)[: len(some)]


def every_step(
    store: EpisodeStore, target: AbstractTarget, ids: Int[np.ndarray, " E"]
) -> Questions:
    """Ask about every step of some episodes that has an outcome, from the memory at that step."""
    spans = [(i, int(n) - target.lead) for i, n in zip(ids, store.lengths(ids), strict=True)]
    episode = np.concatenate([np.full(max(n, 0), i) for i, n in spans] or [np.zeros(0, np.int64)])
    step = np.concatenate([np.arange(max(n, 0)) for _, n in spans] or [np.zeros(0, np.int64)])
    known = np.isfinite(target.values(store, episode, step)).any(axis=-1)
    return Questions(episode[known], step[known], step[known])


def alike(lengths: Int[np.ndarray, " N"]) -> Iterator[Int[np.ndarray, " B"]]:
    """Group rows of about one length, the longest first: none is less than half another's."""
    left: Any = np.argsort(-lengths, kind="stable")
    while len(left):
        near = lengths[left[: ROWS[-1]]] * 2 >= lengths[left[0]]
        count = int(near.sum())
        yield left[:count]
        left = left[count:]
