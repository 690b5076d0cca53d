"""What a memory knows: one question about a far step, asked at every step before it."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from memup.core.tree import Params
from memup.core.types import Targets
from memup.method.orders.base import Visit
from memup.method.selectors.base import AbstractSelector, Rng, Scores, Steps
from memup.method.update import MemUP, initial_rows
from memup.method.windows import Windows

WINDOW = 100


class Only(AbstractSelector):
    """Always the same target step."""

    def __init__(self, step: int):
        super().__init__(1)
        self.step = step

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        index = np.maximum(query, min(self.step, len(score) - 1))[:, None]
        return Targets(index, (query <= self.step).astype(np.float32)[:, None])


def recall(
    learner: MemUP, vector: Params, own: Windows, targets: dict[int, int], stride: int
) -> tuple[Int[np.ndarray, " Q"], Float[np.ndarray, "N Q"]]:
    """Ask about one target step of each of N episodes, from the memory at every step before it.

    Args:
        learner: owner of the model.
        vector: its parameters.
        own: how the model was trained.
        targets: episode id -> target step.
        stride: ask at every so many steps, at most 100.

    Returns:
        The steps asked at, and -log q(y_k | m_t, x_k) there, NaN behind the target.
    """
    count, rng = max(targets.values()) // WINDOW + 1, np.random.default_rng(0)
    parts = []
    for episode, target in targets.items():
        windows = replace(own, selector=Only(target), length=WINDOW, stride=stride)
        stop = min(count * WINDOW, int(own.store.lengths(episode)))
        parts.append(windows.build([Visit(0, episode, 0, stop, 0, True)], 1, count, rng))
    join = lambda *leaves: np.concatenate(leaves, axis=1)  # noqa: E731
    batch = jax.tree.map(join, *parts)._replace(query=parts[0].query)
    rows = initial_rows(learner.model(vector).memory, len(targets))
    _, losses = jax.jit(learner.evaluate_many)(vector, rows, batch)
    shown = np.where(batch.weight > 0, np.asarray(losses), np.nan)[..., 0]
    query = np.arange(count)[:, None] * WINDOW + parts[0].query[0][None, :]
    return query.ravel(), np.swapaxes(shown, 0, 1).reshape(len(targets), -1)
