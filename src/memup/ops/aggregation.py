"""Running sums, means and maxima that begin anew where an episode does (Beck et al., ICLR 2020).

Their value does not depend on the order of the steps, so that a step leaves a trace that does not
fade with distance. The straight-through forms also let the gradient pass undiminished: of the
division by the count, and of the choice of the largest, it sees nothing. In both that leaves the
gradient of a running sum.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def _running(
    join: Callable[[Array, Array], Array],
    begin: Float[Array, " N"],
    xs: Float[Array, "T N"],
    first: Bool[Array, " T"],
) -> Float[Array, "T N"]:
    """Join each x with what was before it: `begin` at xs[0], 0 where an episode begins."""

    def body(before: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        x, first_t = now
        joined = join(jnp.where(first_t, 0, before), x)
        return joined, joined

    # Beside the LSTM that feeds it this loop costs no time, and it compiles in less than half the
    # time of an associative scan.
    return jax.lax.scan(body, begin, (xs, first))[1]


def running_sum(
    begin: Float[Array, " N"], xs: Float[Array, "T N"], first: Bool[Array, " T"]
) -> Float[Array, "T N"]:
    """Return the sum of all x since the episode began.

    Args:
        begin: the sum before xs[0]; ignored where xs[0] begins an episode.
        xs: what is added.
        first: True where an input begins an episode.
    """
    return _running(jnp.add, begin, xs, first)


def running_max(
    begin: Float[Array, " N"], xs: Float[Array, "T N"], first: Bool[Array, " T"]
) -> Float[Array, "T N"]:
    """Return the largest of 0 and all x since the episode began; arguments as `running_sum`."""
    return _running(jnp.maximum, begin, xs, first)


@jax.custom_jvp
def running_max_straight_through(
    begin: Float[Array, " N"], xs: Float[Array, "T N"], first: Bool[Array, " T"]
) -> Float[Array, "T N"]:
    """Return `running_max`, with the gradient of `running_sum`."""
    return running_max(begin, xs, first)


@running_max_straight_through.defjvp
def _tangent_of_max(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    begin, xs, first = primals
    return running_max(begin, xs, first), running_sum(tangents[0], tangents[1], first)


def mean(total: Float[Array, "T N"], count: Float[Array, " T"]) -> Float[Array, "T N"]:
    """Return total / count, with count at least 1."""
    return total / jnp.maximum(count, 1)[:, None]


@jax.custom_jvp
def mean_straight_through(
    total: Float[Array, "T N"], count: Float[Array, " T"]
) -> Float[Array, "T N"]:
    """Return `mean`, with the gradient of the total."""
    return mean(total, count)


@mean_straight_through.defjvp
def _tangent_of_mean(primals: tuple, tangents: tuple) -> tuple[Array, Array]:
    return mean(*primals), tangents[0]
