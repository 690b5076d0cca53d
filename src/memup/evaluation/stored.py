"""Sequences of a supervised task as episodes of a store."""

import numpy as np
from jaxtyping import Int

from memup.data.store import EpisodeStore
from memup.tasks.base import AbstractTask, Sequences


def add(store: EpisodeStore, task: AbstractTask, drawn: Sequences) -> Int[np.ndarray, " N"]:
    """Add sequences of a task to a store; return their ids.

    Where the task is dense every step has its label; else those that are asked for.
    """
    fields = {**drawn.obs, "label": drawn.label}
    if not task.dense:
        fields["labelled"] = drawn.asked
    count, steps = drawn.asked.shape
    store.describe(task.space, None)
    flat = {name: leaf.reshape(-1, *leaf.shape[2:]) for name, leaf in fields.items()}
    return store.extend(flat, np.full(count, steps))
