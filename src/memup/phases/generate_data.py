"""Fill the store with sequences of a supervised task."""

from typing import Any

import numpy as np
from jaxtyping import PyTree

from memup.core.types import Metrics
from memup.evaluation.stored import add
from memup.phases.base import AbstractPhase, Workspace

ROUND = 1 << 26


class GenerateData(AbstractPhase):
    """Draws sequences of a task, about 64 million steps an advance.

    Args:
        sequences: how many; fewer where the task is a data set that has no more.
    """

    name = "collect"

    def __init__(self, sequences: int):
        self.sequences = sequences

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        return {"round": np.zeros((), np.int64)}

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Draw one round and add it."""
        task = workspace.task
        assert task is not None
        left, most = self.sequences - len(workspace.store), max(1, ROUND // task.steps)
        rng = workspace.rng(self.name, int(state["round"]))
        add(workspace.store, task, task.draw(min(left, most), rng))
        metrics: dict[str, Any] = {
            "episodes": len(workspace.store),
            "env_steps": workspace.store.steps,
            "progress": len(workspace.store) / self.sequences,
        }
        return {"round": state["round"] + 1}, metrics, left <= most or task.finite
