"""Fill the store with sequences of a supervised task."""

from typing import Any

import numpy as np
from jaxtyping import PyTree

from memup.phases.base import AbstractPhase, World
from memup.stored import add
from memup.types import Metrics

ROUND = 1 << 26


class Fill(AbstractPhase):
    """Draws sequences of a task, about 64 million steps an advance.

    Args:
        sequences: how many; fewer where the task is a data set that has no more.
    """

    name = "collect"

    def __init__(self, sequences: int):
        self.sequences = sequences

    def start(self, world: World) -> PyTree:
        """See AbstractPhase."""
        return {"round": np.zeros((), np.int64)}

    def advance(self, world: World, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Draw one round and add it."""
        task = world.task
        assert task is not None
        left, most = self.sequences - len(world.store), max(1, ROUND // task.steps)
        rng = world.rng(self.name, int(state["round"]))
        add(world.store, task, task.draw(min(left, most), rng))
        metrics: dict[str, Any] = {
            "episodes": len(world.store),
            "env_steps": world.store.steps,
            "progress": len(world.store) / self.sequences,
        }
        return {"round": state["round"] + 1}, metrics, left <= most or task.finite
