"""All actions of a small space, numbered: what agents that value every action choose among."""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from memup.core.errors import MemupError
from memup.core.spaces import (
    Box,
    Discrete,
    MultiBinary,
    MultiDiscrete,
    Space,
    flatten,
    join,
    map_leaves,
    split,
)
from memup.core.types import Key

MOST_CHOICES = 512


class Choices:
    """The actions of a space, numbered 0 .. N-1; the last element changes fastest.

    Args:
        space: of Discrete, MultiDiscrete and MultiBinary leaves, N at most 512.
        what: who asks, for the error.

    Raises:
        MemupError: the space has other leaves or more actions.
    """

    def __init__(self, space: Space, what: str):
        counts = {name: _counts(leaf) for name, leaf in flatten(space).items()}
        numbers = [n for leaf in counts.values() for n in leaf or ()]
        self.count = math.prod(numbers)
        if None in counts.values() or self.count > MOST_CHOICES:
            found = "real numbers" if None in counts.values() else f"{self.count} joint actions"
            raise MemupError(
                f"{what}: expected at most {MOST_CHOICES} joint actions, all of whole numbers, but "
                f"its action space has {found}; agents 'ppo', 'a2c', 'impala' and 'merlin' act in "
                "any space"
            )
        self.space, self._numbers = space, numbers
        columns = iter(np.stack(np.unravel_index(np.arange(self.count), numbers), axis=-1).T)
        leaves = {}
        for name, leaf in flatten(space).items():
            parts = [next(columns) for _ in counts[name] or ()]
            whole = parts[0] if leaf.shape == () else np.stack(parts, axis=-1)
            leaves[name] = whole.astype(leaf.dtype)
        self.all = join(space, leaves)
        """The actions, leaves [N, ...]."""

    def action(self, index: Int[Array, "..."]) -> PyTree:
        """Return numbered actions, leaves [..., leaf]."""
        return jax.tree.map(lambda leaf: jnp.take(jnp.asarray(leaf), index, axis=0), self.all)

    def index(self, action: PyTree) -> Int[Array, "..."]:
        """Return the numbers of actions."""
        leaves, named = split(self.space, action), flatten(self.space)
        columns: list[Any] = []
        for name, leaf in named.items():
            value = jnp.asarray(leaves[name]).astype(jnp.int32)
            columns += [value] if leaf.shape == () else list(jnp.moveaxis(value, -1, 0))
        total = jnp.zeros_like(columns[0])
        for n, column in zip(self._numbers, columns, strict=True):
            total = total * n + column
        return total


def enumerable(space: Space) -> bool:
    """Say whether `Choices` takes a space."""
    try:
        Choices(space, "")
    except MemupError:
        return False
    return True


def _counts(leaf: Any) -> list[int] | None:
    """Return the number of values of every element; None of real numbers."""
    match leaf:
        case Discrete():
            return [leaf.n]
        case MultiDiscrete():
            return list(leaf.nvec)
        case MultiBinary():
            return [2] * leaf.n
    return None


def uniform(space: Space, shape: tuple[int, ...], *, key: Key) -> PyTree:
    """Draw actions evenly from a space, leaves [*shape, leaf].

    Raises:
        MemupError: a Box of the space has no bounds.
    """
    names = list(flatten(space))
    keys = iter(jax.random.split(key, len(names)))
    return map_leaves(lambda leaf: _uniform(leaf, shape, next(keys)), space)


def _uniform(leaf: Any, shape: tuple[int, ...], key: Key) -> Array:
    shape = (*shape, *leaf.shape)
    match leaf:
        case Discrete():
            return jax.random.randint(key, shape, 0, leaf.n).astype(leaf.dtype)
        case MultiDiscrete():
            most = jnp.broadcast_to(jnp.asarray(leaf.nvec), shape)
            return jax.random.randint(key, shape, 0, most).astype(leaf.dtype)
        case MultiBinary():
            return jax.random.bernoulli(key, 0.5, shape).astype(leaf.dtype)
    if not leaf.bounded:
        raise MemupError(
            f"actions at random from {leaf}: expected a Box with finite bounds; wrap the "
            "environment so that it has some, or use training 'end-to-end'"
        )
    low, high = (_each(bound, leaf, shape) for bound in (leaf.low, leaf.high))
    if np.issubdtype(np.dtype(leaf.dtype), np.integer):
        whole = jax.random.randint(key, shape, low.astype(jnp.int32), high.astype(jnp.int32) + 1)
        return whole.astype(leaf.dtype)
    return low + (high - low) * jax.random.uniform(key, shape, leaf.dtype)


def best_of(value: Float[Array, "B N"], actions: PyTree) -> PyTree:
    """Return for each row the candidate of the largest value, leaves [B, N, ...] -> [B, ...]."""
    best = jnp.argmax(value, axis=-1)
    return jax.tree.map(lambda a: jax.vmap(lambda row, i: row[i])(a, best), actions)


def around(space: Space, action: PyTree, count: int, width: float, *, key: Key) -> PyTree:
    """Draw `count` actions like a given one of each row, leaves [B, ...] -> [B, count, ...].

    An element keeps what it is, or with the chance `width` / 2 is drawn anew; one of a Box of
    floats is moved by a normal number of deviation `width` / 4 of its bounds.
    """
    names = list(flatten(space))
    keys = dict(zip(names, jax.random.split(key, len(names)), strict=True))
    leaves, made = split(space, action), {}
    for name, leaf in flatten(space).items():
        draw, noise = jax.random.split(keys[name])
        old = jnp.repeat(leaves[name][:, None], count, axis=1)
        other = uniform(leaf, old.shape[:2], key=draw)
        if isinstance(leaf, Box) and np.issubdtype(np.dtype(leaf.dtype), np.floating):
            low, high = (_each(bound, leaf, old.shape) for bound in (leaf.low, leaf.high))
            moved = old + 0.25 * width * (high - low) * jax.random.normal(noise, old.shape)
            made[name] = jnp.clip(moved, low, high).astype(leaf.dtype)
        else:
            made[name] = jnp.where(jax.random.bernoulli(noise, 0.5 * width, old.shape), other, old)
    return join(space, made)


def _each(bound: Any, leaf: Box, shape: tuple[int, ...]) -> Array:
    """Return a bound for every element of values of one shape."""
    bound = np.broadcast_to(np.ravel(bound), (leaf.size,)).reshape(leaf.shape)
    return jnp.broadcast_to(jnp.asarray(bound), shape)
