"""Ask a trained model about every outcome of held-out episodes."""

from dataclasses import replace
from typing import Any

import jax
import numpy as np

from memup.method.orders.base import Visit
from memup.method.selectors.current import Current
from memup.method.update import MemUP, initial_rows
from memup.method.windows import Windows


def evaluate_model(
    learner: MemUP, workspace: Any, windows: Windows, episodes: int, window: int = 100
) -> dict[str, Any]:
    """Ask a model about every outcome of held-out episodes, from the memory at that very step.

    Args:
        learner: owner of the model.
        workspace: has the store and the trained arrays in `results["model"]`.
        windows: how the model was trained; its own targets and queries are not used.
        episodes: held-out episodes at most.
        window: steps at a time.

    Returns:
        {"episodes", "loss" in nats, "accuracy" (categorical outcomes) or "mse" (real ones)}.
    """
    ids = workspace.split_ids()[1][:episodes]
    lengths = windows.store.lengths(ids)
    whole = replace(windows, selector=Current(), length=window, stride=1)
    vector = workspace.results["model"]
    model = learner.model(vector)
    ask, answer = jax.jit(learner.evaluate_many), jax.jit(learner.answer_many)
    loss, right, error, count = 0.0, 0.0, 0.0, 0.0
    for low in range(0, len(ids), 64):
        spans = enumerate(zip(ids[low : low + 64], lengths[low : low + 64], strict=True))
        visits = [Visit(row, int(i), 0, int(n), 0, True) for row, (i, n) in spans]
        windows_of = -(-int(lengths[low : low + 64].max()) // window)
        batch = whole.build(visits, len(visits), windows_of, np.random.default_rng(0))
        rows = initial_rows(model.memory, len(visits))
        weight = batch.weight
        loss += float((np.asarray(ask(vector, rows, batch)[1]) * weight).sum())
        off = np.asarray(answer(vector, rows, batch)[1]) - batch.target
        right += float(((np.abs(off) < 1e-4).all(-1) * weight).sum())
        error += float(((off**2).mean(-1) * weight).sum())
        count += float(weight.sum())
    measure = {"accuracy": right / count}
    if not model.likelihood.finite:
        measure = {"mse": error / count}
    return {"episodes": len(ids), "loss": loss / count, **measure}
