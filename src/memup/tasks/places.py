"""Random places in sequences."""

import numpy as np
from jaxtyping import Int


def places(
    rows: int, length: int, count: int, rng: np.random.Generator
) -> Int[np.ndarray, "N count"]:
    """Draw `count` different places of 0..length-1 for each row, ascending, all sets alike likely.

    Floyd's algorithm (Bentley and Floyd 1987): its cost does not grow with the length.
    """
    chosen = np.empty((rows, count), np.int64)
    for done, top in enumerate(range(length - count, length)):
        drawn = rng.integers(top + 1, size=rows)
        taken = (chosen[:, :done] == drawn[:, None]).any(axis=1)
        chosen[:, done] = np.where(taken, top, drawn)
    return np.sort(chosen, axis=1)
