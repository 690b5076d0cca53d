"""Ask a trained model about every outcome of stored sequences."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from memup.data.store import EpisodeStore
from memup.evaluation.intervals import interval, wilson
from memup.evaluation.reader import Reader, every_step
from memup.nn.distributions import kind_of

TOO_FEW = "not judged: too few sequences to hold any out"
NO_OUTCOME = "not judged: no held-out sequence has an outcome"
PART_BYTES = 64 << 20


def evaluate_held_out(
    reader: Reader,
    store: EpisodeStore,
    split: tuple[Int[np.ndarray, " N"], Int[np.ndarray, " M"]],
    episodes: int,
) -> dict[str, Any]:
    """Ask a model about the sequences that were held out from training.

    Args:
        reader: of the model.
        store: what it was trained on.
        split: ids to train on and ids held out, the same ones where there are too few.
        episodes: at most so many.

    Returns:
        See `evaluate_model`. Where none was held out: {"episodes": 0, "note"}, as nothing is judged
        on what it was trained on.
    """
    train, held = split
    if np.isin(held, train).any():
        return {"episodes": 0, "note": TOO_FEW}
    return evaluate_model(reader, store, held[:episodes])


def evaluate_model(
    reader: Reader, store: EpisodeStore, ids: Int[np.ndarray, " E"]
) -> dict[str, Any]:
    """Ask a model about every outcome of sequences, from the memory at that very step.

    Args:
        reader: of the model.
        store: the sequences.
        ids: which of them.

    Returns:
        {"outcomes" ("classification, 17 classes" or "regression"), "episodes", "questions",
        "loss" in nats, "loss_ci95", and of outcomes that are classes
        "accuracy", "accuracy_ci95", "balanced_accuracy" (mean over the classes that occur) and
        "majority_accuracy" (of always giving the commonest class), else "mse" and "mse_ci95"}.
        Of several numbers a step each that is known counts by itself. Intervals count episodes, not
        questions. Where nothing has an outcome: {"episodes": 0, "note"}.
    """
    parts = [part for some in _parts(reader, store, ids) for part in _ask(reader, store, some)]
    if not parts:
        return {"episodes": 0, "note": NO_OUTCOME}
    losses = [part[0] for part in parts]
    row: dict[str, Any] = {"outcomes": kind_of(reader.model.likelihood)}
    row |= {"episodes": len(parts), "questions": sum(map(len, losses))}
    row |= _mean("loss", losses)
    if reader.model.likelihood.finite:
        return {**row, **_of_classes([part[1] for part in parts], [part[2] for part in parts])}
    return {**row, **_mean("mse", [part[1] for part in parts])}


def _parts(
    reader: Reader, store: EpisodeStore, ids: Int[np.ndarray, " E"]
) -> Iterator[Int[np.ndarray, " e"]]:
    """Cut episodes, sorted by length, so that the outcomes of a part do not take much room."""
    if not len(ids):
        return
    lengths = store.lengths(ids)
    numbers = reader.target.values(store, ids[:1], np.zeros(1, np.int64)).shape[-1]
    order = np.argsort(lengths, kind="stable")
    number = np.cumsum(lengths[order]) * 4 * numbers // PART_BYTES
    yield from np.split(ids[order], np.flatnonzero(np.diff(number)) + 1)


def _ask(
    reader: Reader, store: EpisodeStore, ids: Int[np.ndarray, " E"]
) -> Iterator[tuple[np.ndarray, ...]]:
    """Yield for each episode losses [Q], and said and true outcomes [Q, O] or square errors [M]."""
    questions = every_step(store, reader.target, ids)
    loss, said, true = reader.ask(store, questions)
    begins = np.flatnonzero(np.diff(questions.episode)) + 1
    for part in np.split(np.arange(len(loss)), begins) if len(loss) else ():
        if reader.model.likelihood.finite:
            yield loss[part], said[part], true[part]
        else:
            known = np.isfinite(true[part])
            yield loss[part], (said[part] - true[part])[known] ** 2


def _of_classes(
    said: list[Float[np.ndarray, "Q O"]], true: list[Float[np.ndarray, "Q O"]]
) -> dict[str, Any]:
    """Return how often the answers are right, beside what the commonest classes would reach.

    Args:
        said: likeliest outcomes, an array an episode.
        true: what they were; NaN is not known.
    """
    values, answers = np.concatenate(true), np.concatenate(said)
    right, commonest, shares = 0.0, 0, []
    for one, answer in zip(values.T, answers.T, strict=True):
        known = np.isfinite(one)
        hit = np.abs(answer[known] - one[known]) < 1e-4
        _, kind, number = np.unique(one[known], return_inverse=True, return_counts=True)
        shares.append(np.bincount(kind.ravel(), hit, len(number)) / np.maximum(number, 1))
        right, commonest = right + hit.sum(), commonest + number.max(initial=0)
    total = int(np.isfinite(values).sum())
    return {
        "accuracy": float(right / total),
        "accuracy_ci95": list(wilson(float(right / total), len(true))),
        "balanced_accuracy": float(np.concatenate(shares).mean()),
        "majority_accuracy": float(commonest / total),
    }


def _mean(name: str, values: list[Float[np.ndarray, " Q"]]) -> dict[str, Any]:
    """Return a mean and its 95 % interval; values of one episode are dependent."""
    count = np.array([len(part) for part in values])
    sums = np.array([part.sum(dtype=np.float64) for part in values])
    mean = float(sums.sum() / count.sum())
    low, high = interval((sums - count * mean) / count.mean())
    return {name: mean, f"{name}_ci95": [mean + low, mean + high]}
