"""How sure a mean or a share is: 95 % intervals."""

import math

import numpy as np


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a mean, by the normal approximation."""
    half = 1.96 * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()) - half, float(values.mean()) + half


def wilson(rate: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, which is right near 0 and 1 too."""
    z2 = 1.96**2
    centre = (rate + z2 / (2 * count)) / (1 + z2 / count)
    half = 1.96 * math.sqrt(rate * (1 - rate) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)
