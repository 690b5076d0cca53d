"""Measure where vectors lie and how far they spread, on the host in float64.

A feature x becomes (x - shift) / scale. The bulk of the data, its 0.5 % to 99.5 % quantiles, says
how: shift is its mean, scale its standard deviation, outliers clipped. A flag that is seldom set
has a small deviation but must not become huge, so the scale is at least a quarter of the bulk's
width; where the bulk is one value, so that all else is rare, shift is that value and scale the
distance of what lies farthest from it: a rare flag stays 0 or 1. A constant has scale 1.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from memup.core.errors import MemupError

BULK = (0.005, 0.5, 0.995)
NARROWEST = 4.0
# What is this many times above float32's own error was surely told apart by it.
SURELY = 4096


class Statistics(NamedTuple):
    """Constants of a vector's features.

    Attributes:
        shift: subtracted, [S].
        scale: divided by, [S], above 0.
    """

    shift: Float[np.ndarray, " S"]
    scale: Float[np.ndarray, " S"]

    def describe(self) -> dict[str, list[float]]:
        """Return plain JSON."""
        return {"shift": self.shift.tolist(), "scale": self.scale.tolist()}


def statistics(data: np.ndarray) -> Statistics:
    """Measure the features of a sample.

    Args:
        data: [N, S] of any real dtype, N >= 1.

    Returns:
        Their constants.
    """
    exact = data.astype(np.float64)
    low, middle, high = np.quantile(exact, BULK, axis=0)
    width = high - low
    kept = np.clip(exact, (low - width)[None], (high + width)[None])
    spread = np.maximum(kept.std(axis=0), width / NARROWEST)
    farthest = np.abs(exact - middle[None]).max(axis=0)
    bulk = width > 0
    scale = np.where(bulk, spread, farthest)
    # Differences below the rounding of the numbers themselves are none.
    tiny = np.finfo(data.dtype if data.dtype.kind == "f" else np.float64).eps * np.abs(exact).max(0)
    constant = scale <= 4 * tiny
    shift = np.where(bulk & ~constant, kept.mean(axis=0), middle)
    return Statistics(shift, np.where(constant, 1.0, scale))


def check_float32(name: str, data: np.ndarray, found: Statistics) -> None:
    """Raise MemupError if float32, which networks compute in, merges values of a feature.

    Args:
        name: of the field.
        data: what `statistics` measured, [N, S].
        found: what it returned.
    """
    most = np.abs(data.astype(np.float64)).max(axis=0)
    error = np.finfo(np.float32).eps * most
    if data.dtype.itemsize < 4 or data.dtype == np.float32:
        return
    for i in np.flatnonzero((found.scale < SURELY * error) | (most > np.finfo(np.float32).max)):
        column = data[:, i]
        with np.errstate(over="ignore"):
            told, values = np.unique(column.astype(np.float32)), np.unique(column)
        if len(values) > 2 * len(told) or (len(values) > len(told) and len(values) < 100):
            raise MemupError(
                f"field {name!r}: {len(values)} values of its number {i}, from {column.min()} to "
                f"{column.max()}, are only {len(told)} in float32, which networks compute in; "
                "subtract an offset from it, or divide it"
            )
