"""Softmax pooling over all steps of an episode so far, as a recurrence of constant size.

Attention whose scores depend on the step alone needs no store of past steps:

    y_t = sum_{i <= t} exp(s_i) v_i / (exp(0) + sum_{i <= t} exp(s_i))

is a ratio of two running sums. The running maximum of the scores keeps both in range. The 0 is the
score of a null slot, so that y is 0 where nothing was worth attention. What was read with a high
score is held exactly, however long ago.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


class Pool(NamedTuple):
    """Running sums of H heads, scaled by exp(-top).

    Attributes:
        top: largest score so far, at least the null slot's 0.
        weight: sum of exp(s - top), the null slot's share among them.
        value: sum of exp(s - top) v.
    """

    top: Float[Array, " H"]
    weight: Float[Array, " H"]
    value: Float[Array, "H V"]


def empty_pool(heads: int, width: int) -> Pool:
    """Return the sums before an episode: the null slot alone."""
    return Pool(jnp.zeros(heads), jnp.ones(heads), jnp.zeros((heads, width)))


def pool(
    begin: Pool,
    score: Float[Array, "T H"],
    value: Float[Array, "T H V"],
    first: Bool[Array, " T"],
) -> tuple[Pool, Float[Array, "T H V"]]:
    """Pool T steps.

    Args:
        begin: the sums before the first of them.
        score: s.
        value: v.
        first: True where a step begins an episode: the sums begin anew.

    Returns:
        The sums after the last step, and y of every step.
    """

    def body(sums: Pool, now: tuple[Array, Array, Array]) -> tuple[Pool, Array]:
        s, v, first_t = now
        fresh = empty_pool(*v.shape)
        sums = jax.tree.map(lambda a, b: jnp.where(first_t, a, b), fresh, sums)
        top = jnp.maximum(sums.top, s)
        old, new = jnp.exp(sums.top - top), jnp.exp(s - top)
        weight = sums.weight * old + new
        joined = sums.value * old[:, None] + v * new[:, None]
        return Pool(top, weight, joined), joined / weight[:, None]

    return jax.lax.scan(body, begin, (score, value, first))
