"""The loss of every step of whole episodes, from the memory at that very step."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from memup.core.tree import Params
from memup.memories.encoded import initial_carry
from memup.method.orders.base import Visit
from memup.method.selectors.current import Current
from memup.method.update import MemUP
from memup.method.windows import Windows

WINDOW = 100


def losses_of_episodes(
    learner: MemUP,
    params: Params,
    windows: Windows,
    ids: Int[np.ndarray, " B"],
    count: int,
    evaluate: Callable[..., Any],
) -> list[Float[np.ndarray, " T"]]:
    """Return -log q(y_k | m_k, x_k) of every step of episodes.

    Args:
        learner: owner of the model.
        params: its parameters.
        windows: how the model is trained.
        ids: B episodes.
        count: windows of 100 steps that are enough for the longest of them.
        evaluate: compiled `learner.evaluate_many`, given (params, rows, windows).

    Returns:
        The loss of every step of each episode; 0 where a step has no outcome.
    """
    every = replace(windows, selector=Current(), length=WINDOW, stride=1)
    lengths = windows.store.lengths(ids)
    spans = enumerate(zip(ids, lengths, strict=True))
    visits = [Visit(row, int(i), 0, int(n), 0, True) for row, (i, n) in spans]
    batch = every.build(visits, len(ids), count, np.random.default_rng(0))
    rows = initial_carry(learner.model(params).memory, len(ids))
    _, losses = evaluate(params, rows, batch)
    counted = np.where(batch.weight > 0, np.asarray(losses), 0.0)
    flat = np.swapaxes(counted, 0, 1).reshape(len(ids), -1)
    return [row[:n] for row, n in zip(flat, lengths, strict=True)]
