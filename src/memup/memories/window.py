"""Memories that look at the last W steps: what they carry, and how layers pass over it."""

import abc
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from memup.core.types import Key
from memup.memories.base import AbstractParallel


class WindowState(NamedTuple):
    """The last M = W - 1 steps, the newest last.

    Attributes:
        rows: what each of L layers read at them, [L, M, D]; 0 where there was no step.
        valid: 1.0 where a step belongs to the running episode, [M].
    """

    rows: Float[Array, "*n L M D"]
    valid: Float[Array, "*n M"]


def empty_window(
    layers: int, window: int, like: Float[Array, "I D"] | Float[Array, " D"]
) -> WindowState:
    """Return a window without steps.

    Args:
        layers: L.
        window: W.
        like: an array of the rows' type and size.
    """
    rows = jnp.zeros((layers, window - 1, like.shape[-1]), like.dtype)
    return WindowState(rows, jnp.zeros(window - 1, like.dtype))


def begin_window(
    state: WindowState, first: Bool[Array, " T"]
) -> tuple[WindowState, Int[Array, " S"]]:
    """Forget the old steps if the first new one begins an episode, and number the episodes.

    Later beginnings need no such care: there the old steps are masked, and selecting here keeps
    them out of gradients too when they are not finite.

    Returns:
        The state, and the number of the episode of M old and T new steps: 0 is the one that was
        running, -1 stands for no step.
    """
    state = jax.tree.map(lambda a: jnp.where(first[0], 0, a), state)
    old = jnp.where(state.valid > 0.5, 0, -1)
    return state, jnp.concatenate([old, jnp.cumsum(first)])


def end_window(
    state: WindowState, rows: list[Float[Array, "S D"]], episode: Int[Array, " S"]
) -> WindowState:
    """Keep the newest M steps, as far as they are of the last episode.

    Args:
        state: the state before.
        rows: what each layer read at M old and T new steps.
        episode: see `begin_window`.
    """
    kept = state.valid.shape[0]
    new = episode.shape[0] - kept
    same = episode[new:] == episode[-1]
    valid = jnp.concatenate([state.valid, jnp.ones(new, state.valid.dtype)])[new:]
    of_layers = [jnp.where(same[:, None], r[new:], 0) for r in rows]
    return WindowState(jnp.stack(of_layers), jnp.where(same, valid, 0))


class AbstractBlock(eqx.Module):
    """One layer of a window memory."""

    @abc.abstractmethod
    def __call__(
        self, rows: Float[Array, "S D"], episode: Int[Array, " S"], steps: int
    ) -> Float[Array, "T D"]:
        """Read M old and T new rows, give T.

        Args:
            rows: what this layer read at them.
            episode: see `begin_window`.
            steps: T.
        """


class AbstractWindowMemory(AbstractParallel):
    """L blocks, each looking at the last W inputs of its own: L (W - 1) steps back in all.

    Steps of a window are computed side by side.

    Attributes:
        embed: W, b of the linear layer before the blocks.
        blocks: lowest first.
        window: W, with the step itself.
    """

    embed: eqx.AbstractVar[eqx.nn.Linear]
    blocks: eqx.AbstractVar[tuple[AbstractBlock, ...]]
    window: eqx.AbstractVar[int]

    @abc.abstractmethod
    def finish(self, h: Float[Array, "T D"]) -> Float[Array, "T D"]:
        """Turn the highest block's rows into the memory's outputs."""

    def initial_state(self) -> WindowState:
        """Return an empty window."""
        return empty_window(len(self.blocks), self.window, self.embed.bias)

    def unroll(
        self,
        state: WindowState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[WindowState, Float[Array, "T D"]]:
        """Read T inputs; see AbstractMemory."""
        state, episode = begin_window(state, first)
        h, rows = jax.vmap(self.embed)(xs), []
        for block, old in zip(self.blocks, state.rows, strict=True):
            rows.append(jnp.concatenate([old, h]))
            h = block(rows[-1], episode, xs.shape[0])
        return end_window(state, rows, episode), self.finish(h)
