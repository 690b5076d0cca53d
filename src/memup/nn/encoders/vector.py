"""Vectors of numbers and flags: shifted and scaled by constants that were measured on data."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from memup.core.spaces import Box, MultiBinary

FAR = 10.0
# Bounds beyond it are not meant as such (many environments write float32's largest number).
FARTHEST_BOUND = 1e6


class VectorEncoder(eqx.Module):
    """(x - shift) / scale of every number; what lies beyond +-10 grows as its logarithm only.

    Attributes:
        shift: subtracted, [S]; never trained.
        scale: divided by, [S]; never trained.
        output_size: S.
    """

    shift: Float[Array, " S"]
    scale: Float[Array, " S"]
    output_size: int = eqx.field(static=True)

    def __init__(self, leaf: Box | MultiBinary, statistics: Mapping[str, Any] | None = None):
        """Make it for a leaf; without statistics, of its bounds."""
        shift, scale = bounds_of(leaf) if statistics is None else _of_json(statistics)
        self.shift, self.scale = (jnp.asarray(a, jnp.float32) for a in (shift, scale))
        self.output_size = leaf.size

    def __call__(self, value: ArrayLike) -> Float[Array, " S"]:
        """Encode one vector; no gradient reaches the constants."""
        shift, scale = jax.lax.stop_gradient((self.shift, self.scale))
        x = (jnp.ravel(jnp.asarray(value)).astype(jnp.float32) - shift) / scale
        return squash(x)


def squash(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return x up to +-10, and +-10 (1 + log(|x| / 10)) beyond: smooth, nothing is cut off."""
    size = jnp.maximum(jnp.abs(x), FAR)
    return jnp.where(jnp.abs(x) <= FAR, x, jnp.sign(x) * FAR * (1 + jnp.log(size / FAR)))


def bounds_of(leaf: Box | MultiBinary) -> tuple[np.ndarray, np.ndarray]:
    """Return shift and scale that bring bounded numbers to -1..1 and leave others alone."""
    nothing = np.zeros(leaf.size), np.ones(leaf.size)
    if isinstance(leaf, MultiBinary):
        return nothing
    low, high = (
        np.broadcast_to(np.asarray(b, np.float64), leaf.size) for b in (leaf.low, leaf.high)
    )
    known = (np.abs(low) < FARTHEST_BOUND) & (np.abs(high) < FARTHEST_BOUND) & (high > low)
    with np.errstate(invalid="ignore"):
        middle, half = (low + high) / 2, (high - low) / 2
    return np.where(known, middle, nothing[0]), np.where(known, half, nothing[1])


def _of_json(statistics: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(statistics["shift"]), np.asarray(statistics["scale"])
