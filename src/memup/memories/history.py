"""What a memory over blocks of the past carries: the last steps in a ring, and the first ones."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


class HistoryState(NamedTuple):
    """The last S steps of an episode and its first G.

    Attributes:
        rows: what each of L layers read at them, [L, S + G, D]: step q stands at q mod S, and if it
            is one of the first G, at S + q too; 0 where there was no step.
        count: steps of the episode so far, exact up to 2^24 in float32.
    """

    rows: Float[Array, "*n L SG D"]
    count: Float[Array, "*n"]


class Steps(NamedTuple):
    """Where the T new steps lie.

    Attributes:
        position: in their episodes, [T].
        episode: number of the episode, 0 for the one that was running before, [T].
    """

    position: Int[Array, " T"]
    episode: Int[Array, " T"]


def place(count: Float[Array, ""], first: Bool[Array, " T"]) -> Steps:
    """Number the new steps.

    Args:
        count: steps of the running episode so far.
        first: True where a step begins an episode.
    """
    steps = jnp.arange(first.shape[0])
    begin = jax.lax.cummax(jnp.where(first, steps, -1))
    so_far = jnp.maximum(jnp.round(count).astype(steps.dtype), 0)
    return Steps(jnp.where(begin < 0, so_far + steps, steps - begin), jnp.cumsum(first))


def look_up(
    old: Float[Array, "SG D"],
    new: Float[Array, "T D"],
    at: Int[Array, "*n"],
    begin: Int[Array, ""],
    exists: Bool[Array, "*n"],
    opening: int,
) -> Float[Array, "*n D"]:
    """Return the rows of steps of one episode, 0 where they do not exist.

    Args:
        old: rows of the state.
        new: rows of the new steps.
        at: positions in the episode.
        begin: where in `new` the episode's step 0 stands, or would stand: below 0 if it is old.
        exists: whether the row is wanted, and kept.
        opening: G.
    """
    ring = old.shape[0] - opening
    in_new = at + begin
    in_old = jnp.where(at < opening, ring + at, at % ring)
    of_old = jnp.take(old, in_old, axis=0, mode="clip")
    of_new = jnp.take(new, in_new, axis=0, mode="clip")
    row = jnp.where((in_new >= 0)[..., None], of_new, of_old)
    return jnp.where(exists[..., None], row, 0)


def keep(
    old: Float[Array, "SG D"], new: Float[Array, "T D"], steps: Steps, opening: int
) -> Float[Array, "SG D"]:
    """Return the rows after the new steps, those of an ended episode forgotten."""
    ring, last = old.shape[0] - opening, steps.position[-1]
    in_ring = jnp.arange(ring)
    at = jnp.concatenate([last - (last - in_ring) % ring, jnp.arange(opening)])
    in_new = at + (new.shape[0] - 1 - last)
    of_new = jnp.take(new, in_new, axis=0, mode="clip")
    running = jnp.where((steps.episode[-1] == 0), old, 0)
    row = jnp.where((in_new >= 0)[:, None], of_new, running)
    return jnp.where(((at >= 0) & (at <= last))[:, None], row, 0)
