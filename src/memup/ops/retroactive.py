"""A memory that grows by a row a step, beside what came after it (MERLIN, arXiv 1803.10760).

Axes: N rows, Z numbers written a step. A row holds 2 Z numbers: what was written, and a weighted
mean of what was written after it, so that a row found by its content also says what followed.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int


class Rows(NamedTuple):
    """The memory, and where it writes.

    Attributes:
        content: M, [N, 2Z].
        trace: v^ret, how much each row takes of what is written now, [N].
        last: v^wr of the step before: 1 at the row written last, [N].
        use: read weights that each row has had since it was written, summed, [N].
        count: rows written.
    """

    content: Float[Array, "N Z2"]
    trace: Float[Array, " N"]
    last: Float[Array, " N"]
    use: Float[Array, " N"]
    count: Int[Array, ""]


def no_rows(slots: int, size: int) -> Rows:
    """Return an empty memory of N slots for Z numbers a step."""
    zeros = jnp.zeros(slots)
    return Rows(jnp.zeros((slots, 2 * size)), zeros, zeros, zeros, jnp.int32(0))


def append(rows: Rows, z: Float[Array, " Z"], decay: float) -> Rows:
    """Write a row, and add to those before it what came after them.

    v^wr is 1 at the next free row; where there is none, at the one that was read least, which is
    cleared. v^ret' = decay v^ret + (1 - decay) v^wr of the step before, and
    M' = M + v^wr [z, 0]^T + v^ret' [0, z]^T.

    Args:
        rows: the memory.
        z: what is written.
        decay: of what rows still take, a step; a constant of its own, not the discount of rewards.
    """
    slots = rows.content.shape[0]
    row = jnp.where(rows.count < slots, rows.count, jnp.argmin(rows.use))
    here = jnp.arange(slots) == row
    trace = jnp.where(here, 0.0, decay * rows.trace + (1 - decay) * rows.last)
    now = here.astype(z.dtype)
    # One pass over the memory, which is the largest array of a step.
    is_code = jnp.arange(rows.content.shape[1]) < z.shape[0]
    share = jnp.where(is_code[None], now[:, None], trace[:, None])
    content = jnp.where(here[:, None], 0.0, rows.content) + share * jnp.tile(z, 2)[None]
    return Rows(content, trace, now, jnp.where(here, 0.0, rows.use), rows.count + 1)


def note_reading(rows: Rows, weights: Float[Array, "H N"]) -> Rows:
    """Add the weights with which H heads have read to the rows' use; they carry no gradient."""
    return rows._replace(use=rows.use + jax.lax.stop_gradient(jnp.sum(weights, axis=0)))
