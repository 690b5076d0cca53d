"""Scores that no detector learns: `surprise` and `oracle`.

`surprise` is the authors' released variant, the loss of a slow copy of memory and predictor;
`oracle` is told by the data, for tests.
"""

import numpy as np
from jaxtyping import Float, Int

from memup.core.tree import Params
from memup.data.store import EpisodeStore
from memup.method.orders.base import Visit
from memup.method.targets.base import AbstractTarget
from memup.method.update import MemUP, initial_rows
from memup.method.windows import Windows


def surprise(
    learner: MemUP,
    vector: Params,
    windows: Windows,
    ids: Int[np.ndarray, " B"],
    count: int,
    evaluate: object,
) -> list[Float[np.ndarray, " T"]]:
    """Score whole episodes by -log q(y_k | m_k, x_k) of the (slow) model with memory.

    Args:
        learner: owner of the model.
        vector: parameters of the slow copy.
        windows: a builder whose selector is `Current` and whose stride is 1.
        ids: B episodes.
        count: windows that are enough for the longest of them.
        evaluate: compiled `learner.evaluate_many`, given (vector, rows, windows).

    Returns:
        The score of every step of each episode; 0 where a step has no outcome.
    """
    lengths = windows.store.lengths(ids)
    spans = enumerate(zip(ids, lengths, strict=True))
    visits = [Visit(row, int(i), 0, int(n), 0, True) for row, (i, n) in spans]
    batch = windows.build(visits, len(ids), count, np.random.default_rng(0))
    rows = initial_rows(learner.model(vector).memory, len(ids))
    _, losses = evaluate(vector, rows, batch)
    flat = np.swapaxes(np.asarray(losses) * (batch.weight > 0), 0, 1).reshape(len(ids), -1)
    return [row[:n] for row, n in zip(flat, lengths, strict=True)]


def oracle(
    store: EpisodeStore, target: AbstractTarget, ids: Int[np.ndarray, " N"], tail: int
) -> list[Float[np.ndarray, " T"]]:
    """Score episodes by what is known: the field `oracle`, or else the last `tail` outcomes."""
    scores = []
    for episode in ids:
        length = int(store.lengths(np.array([episode]))[0])
        if "oracle" in store.fields:
            score = np.asarray(store.episode(int(episode))["oracle"], np.float32)
        else:
            score = (np.arange(length) >= length - target.lead - tail).astype(np.float32)
        scores.append(score)
    return scores
