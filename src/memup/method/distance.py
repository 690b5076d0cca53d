"""A code of how far ahead a target lies: exact where near, one for all that is far.

What memory must say of a step depends on how many steps will still be read before it: "three steps
before" is another place in memory at each distance. From 64 steps on that no longer differs.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

EXACT = 8
CODES = EXACT + 4


def distance_code(distance: Any) -> Any:
    """Return 0..7 for these distances, 8 for 8 to 15, 9 for 16 to 31, 10 for 32 to 63, 11 beyond.

    Args:
        distance: whole numbers of any shape, of numpy or of JAX.
    """
    xp: Any = jnp if isinstance(distance, jax.Array) else np
    octave = EXACT - 3 + xp.floor(xp.log2(xp.maximum(distance, 1) + 0.5)).astype(np.int32)
    return xp.where(distance < EXACT, distance, xp.minimum(octave, CODES - 1))


def one_hot_distance(distance: Int[Array, ""] | int | None) -> Float[Array, " C"]:
    """Return the code of one distance as floats; None is 0."""
    return jax.nn.one_hot(distance_code(jnp.asarray(0 if distance is None else distance)), CODES)
