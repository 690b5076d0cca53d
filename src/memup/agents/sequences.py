"""Cut rollouts into overlapping sequences, each with the memory's state before its first input.

A sequence has L = burn_in + length steps: the first ones only warm the memory up, the others are
learned from, and one more input follows, whose value is bootstrapped. The next sequence begins
`length` steps later: what it warms up on is the end of the one before, which may lie in the rollout
before. Sequences may hold the end of an episode and the start of the next: memories forget there,
and no target reaches across.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PyTree

from memup.agents.transitions import Transitions
from memup.core.types import State


class Sequence(NamedTuple):
    """What is replayed; with an axis of sequences before all others, unless it is one.

    Attributes:
        read: what the memory reads, or what it made of that if it is frozen, leaves [L+1, ...].
        rows: the memory's state before the first of them; () if it is frozen.
        action: of the steps that are learned from, [length].
        moves: what they led to, leaves [length].
    """

    read: PyTree
    rows: State
    action: Int[Array, "..."]
    moves: Transitions


class Tail(NamedTuple):
    """The end of the rollout before, on which the next sequences warm up.

    Attributes:
        read: leaves [burn_in, B, ...].
        rows: the memories' states before the first of them, leaves [B, ...]; () if frozen.
    """

    read: PyTree
    rows: State


def cut(
    tail: Tail,
    read: PyTree,
    action: Int[Array, "T B"],
    moves: Transitions,
    length: int,
    advance: Callable[[State, PyTree], State],
) -> tuple[Tail, Sequence]:
    """Cut a rollout.

    Args:
        tail: end of the rollout before.
        read: leaves [T+1, B, ...], with the step that follows the rollout.
        action: actions taken; T is a multiple of `length`.
        moves: what they led to.
        length: steps between the starts of two sequences.
        advance: (states of B memories, what they read, leaves [length, B, ...]) -> states.

    Returns:
        The end of this rollout, and its T / length * B sequences.
    """
    count = action.shape[0] // length
    whole = jax.tree.map(lambda old, new: jnp.concatenate([old, new]), tail.read, read)
    burn_in = jax.tree.leaves(whole)[0].shape[0] - action.shape[0] - 1
    starts = [k * length for k in range(count)]

    def pieces(leaf: Array, size: int) -> Array:
        stacked = jnp.stack([leaf[s : s + size] for s in starts])
        return _one_axis(jnp.swapaxes(stacked, 1, 2))

    def go(rows: State, x: PyTree) -> tuple[State, State]:
        return advance(rows, x), rows

    parts = jax.tree.map(
        lambda leaf: leaf[: count * length].reshape(count, length, *leaf.shape[1:]), whole
    )
    rows, before = jax.lax.scan(go, tail.rows, parts)
    end = jax.tree.map(lambda leaf: leaf[count * length : count * length + burn_in], whole)
    sequences = Sequence(
        jax.tree.map(lambda leaf: pieces(leaf, burn_in + length + 1), whole),
        jax.tree.map(_one_axis, before),
        pieces(action, length),
        jax.tree.map(lambda leaf: pieces(leaf, length), moves),
    )
    return Tail(end, rows), sequences


def _one_axis(leaf: Array) -> Array:
    """Join the first two axes."""
    return leaf.reshape(-1, *leaf.shape[2:])
