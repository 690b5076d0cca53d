"""Ask a trained model about every outcome of held-out episodes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from memup.evaluation.intervals import interval, wilson
from memup.method.orders.base import Visit
from memup.method.selectors.current import Current
from memup.method.update import MemUP, initial_rows
from memup.method.windows import Windows

MOST_ROWS = 64
MOST_STEPS = 1 << 18


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
        {"episodes", "questions", "loss" in nats, "loss_ci95", and of outcomes that are classes
        "accuracy", "accuracy_ci95", "balanced_accuracy" (mean over the classes that occur) and
        "majority_accuracy" (of always giving the commonest class), else "mse" and "mse_ci95"}.
        Intervals count episodes, not questions. Where no episode was held out from training:
        {"episodes": 0, "note"}, as nothing is judged on what it was trained on.
    """
    train, held = workspace.split_ids()
    if np.isin(held, train).any():
        return {"episodes": 0, "note": "not judged: too few sequences to hold any out"}
    model = learner.model(workspace.results["model"])
    whole = replace(windows, selector=Current(), length=window, stride=1)
    parts = []
    for ids in _alike(held[:episodes], windows.store.lengths(held[:episodes])):
        parts += _ask(learner, workspace.results["model"], whole, ids)
    parts = [part for part in parts if len(part[0])]
    if not parts:
        return {"episodes": 0, "note": "not judged: no held-out sequence has an outcome"}
    loss, said, target = (np.concatenate(leaves) for leaves in zip(*parts, strict=True))
    count = np.array([len(part[0]) for part in parts])
    row = {"episodes": len(parts), "questions": len(loss), "loss": float(loss.mean())}
    row["loss_ci95"] = list(_interval(loss, count))
    if model.likelihood.finite:
        return {**row, **_of_classes(said, target, count)}
    error = ((said - target) ** 2).mean(axis=-1)
    return {**row, "mse": float(error.mean()), "mse_ci95": list(_interval(error, count))}


def _alike(
    ids: Int[np.ndarray, " N"], lengths: Int[np.ndarray, " N"]
) -> Iterator[Int[np.ndarray, " B"]]:
    """Group episodes of about the same length: a long one among short ones is alone."""
    left = np.argsort(lengths, kind="stable")[::-1]
    while len(left):
        rows = int(np.clip(MOST_STEPS // max(lengths[left[0]], 1), 1, MOST_ROWS))
        yield ids[left[:rows]]
        left = left[rows:]


def _ask(
    learner: MemUP, params: Any, whole: Windows, ids: Int[np.ndarray, " B"]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return losses [Q], likeliest outcomes and outcomes [Q, O] of the questions of episodes."""
    lengths = whole.store.lengths(ids)
    spans = enumerate(zip(ids.tolist(), lengths.tolist(), strict=True))
    visits = [Visit(row, i, 0, n, 0, True) for row, (i, n) in spans]
    count = -(-int(lengths.max()) // whole.length)
    batch = whole.build(visits, len(visits), count, np.random.default_rng(0))
    rows = initial_rows(learner.model(params).memory, len(visits))
    losses = np.asarray(jax.jit(learner.evaluate_many)(params, rows, batch)[1])
    said = np.asarray(jax.jit(learner.answer_many)(params, rows, batch)[1])
    asked = batch.weight > 0
    return [
        tuple(leaf[:, row][asked[:, row]] for leaf in (losses, said, batch.target))
        for row in range(len(ids))
    ]


def _of_classes(
    said: Float[np.ndarray, "Q O"], target: Float[np.ndarray, "Q O"], count: Int[np.ndarray, " N"]
) -> dict[str, Any]:
    """Return how often the answers are right, beside what the commonest class would reach."""
    right = (np.abs(said - target) < 1e-4).all(axis=-1)
    _, kind, number = np.unique(target, axis=0, return_inverse=True, return_counts=True)
    of_class = np.bincount(kind.ravel(), right) / number
    share = float(right.mean())
    return {
        "accuracy": share,
        "accuracy_ci95": list(wilson(share, len(count))),
        "balanced_accuracy": float(of_class.mean()),
        "majority_accuracy": float(number.max() / number.sum()),
    }


def _interval(values: Float[np.ndarray, " Q"], count: Int[np.ndarray, " N"]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of all values, which are dependent in an episode."""
    starts = np.cumsum(count) - count
    mean = float(values.mean())
    off = (np.add.reduceat(values, starts) - count * mean) / count.mean()
    low, high = interval(off)
    return mean + low, mean + high
