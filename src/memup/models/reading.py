"""Reading whole sequences, and answering what is asked about their steps; constant memory."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from memup.core.tree import Params, ravel, rebuilder
from memup.core.types import Query, State, StepInput
from memup.memories.encoded import EncodedMemory, initial_carry
from memup.method.update import Model as Trained
from memup.models.sequences import BLOCK_BYTES, Sequences, block_shape, step_size

QUESTIONS = 4096


class MemoryReader:
    """Lets a memory read sequences.

    Args:
        memory: what reads.
    """

    def __init__(self, memory: EncodedMemory):
        self.memory, self._vector = memory, ravel(memory)
        # Parameters are an argument, or each program would hold a copy of them.
        rebuild = rebuilder(lambda key: memory)

        def unroll(params: Params, states: State, x: StepInput) -> tuple[State, Array]:
            return jax.vmap(rebuild(params).unroll)(states, x)

        self._unroll = jax.jit(unroll, donate_argnums=1)

    def batches(self, sequences: Sequences) -> Iterator[tuple[list[int], list[np.ndarray]]]:
        """Yield numbers of sequences, and the memory after every step of each, [T, D]."""
        for numbers in sequences.batches(4 * self.memory.output_size):
            yield numbers, self._read(sequences, numbers)

    def _read(self, sequences: Sequences, numbers: list[int]) -> list[np.ndarray]:
        rows, width = block_shape(sequences, numbers)
        states = jax.tree.map(jnp.copy, initial_carry(self.memory, rows))
        size = self.memory.output_size
        out = [np.zeros((n, size), np.float32) for n in sequences.lengths[numbers]]
        for start in range(0, int(sequences.lengths[numbers].max()), width):
            block = sequences.block(numbers, rows, start, width)
            states, m = self._unroll(self._vector, states, block)
            for row, read in enumerate(np.asarray(m)[: len(numbers)]):
                left = out[row][start : start + width]
                left[:] = read[: len(left)]
        return out


class Answerer:
    """Lets a predictor answer questions about steps of sequences, from the memory there.

    Args:
        model: memory, predictor and the family of outcomes.
    """

    def __init__(self, model: Trained):
        self._vector, rebuild = ravel(model), rebuilder(lambda key: model)

        def one(model: Trained, m: Float[Array, " D"], question: Query) -> dict[str, Array]:
            return model.likelihood.summary(model.predictor(m, question))

        def answer(params: Params, m: Float[Array, "N D"], question: Query) -> dict[str, Array]:
            return jax.vmap(partial(one, rebuild(params)))(m, question)

        self._answer = jax.jit(answer)

    def __call__(
        self, sequences: Sequences, number: int, memory: np.ndarray, steps: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Answer about some steps of a sequence; leaves [n, O, ...].

        Args:
            sequences: the sequences.
            number: which one.
            memory: after each of its steps, [T, D].
            steps: which ones are asked about, [n].
        """
        query = step_size(sequences.blueprint) * sequences.blueprint.query_length
        at_once = max(1, min(QUESTIONS, BLOCK_BYTES // query))
        parts = [
            self._part(sequences, number, memory, steps[low : low + at_once], at_once)
            for low in range(0, len(steps), at_once)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _part(
        self, sequences: Sequences, number: int, memory: np.ndarray, steps: np.ndarray, most: int
    ) -> dict[str, np.ndarray]:
        count = min(most, 1 << max(0, len(steps) - 1).bit_length())
        padded = np.pad(steps, (0, count - len(steps)), mode="edge")
        question: PyTree = sequences.question(number, padded)
        said: Any = self._answer(self._vector, memory[padded], question)
        return {name: np.asarray(leaf)[: len(steps)] for name, leaf in said.items()}
