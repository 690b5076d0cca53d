"""Which encoder reads a leaf of a space, and what is made of a whole space."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float, PyTree

from memup.core.spaces import Box, Discrete, Leaf, MultiBinary, MultiDiscrete, Space, flatten, split
from memup.core.types import Key
from memup.nn.encoders.category import CategoryEncoder
from memup.nn.encoders.image import ImageEncoder, is_image
from memup.nn.encoders.vector import VectorEncoder

Facts = Mapping[str, Mapping[str, Any]]
"""Name of a leaf to the constants that `statistics` measured."""


def _box(leaf: Box, key: Key, facts: Mapping[str, Any] | None) -> Any:
    return ImageEncoder(leaf, key=key) if is_image(leaf) else VectorEncoder(leaf, facts)


ENCODERS: dict[type, Callable[[Any, Key, Mapping[str, Any] | None], Any]] = {
    Box: _box,
    MultiBinary: lambda leaf, key, facts: VectorEncoder(leaf),
    Discrete: lambda leaf, key, facts: CategoryEncoder(leaf, key=key),
    MultiDiscrete: lambda leaf, key, facts: CategoryEncoder(leaf, key=key),
}


def is_vector(leaf: Leaf) -> bool:
    """Say whether a leaf's encoder needs to know where its numbers lie."""
    return isinstance(leaf, Box) and not is_image(leaf)


class SpaceEncoder(eqx.Module):
    """The codes of all leaves of a space, laid end to end.

    Attributes:
        space: what is encoded; None: nothing.
        prefix: "obs" or "action", which leaves are called by.
        leaves: an encoder a leaf.
        output_size: floats of all.
    """

    space: Space | None = eqx.field(static=True)
    prefix: str = eqx.field(static=True)
    leaves: tuple[Any, ...]
    output_size: int = eqx.field(static=True)

    def __init__(self, space: Space | None, prefix: str, facts: Facts | None = None, *, key: Key):
        self.space, self.prefix = space, prefix
        parts = {} if space is None else flatten(space, prefix)
        keys = jax.random.split(key, max(len(parts), 1))
        known = facts or {}
        self.leaves = tuple(
            ENCODERS[type(leaf)](leaf, k, known.get(name))
            for k, (name, leaf) in zip(keys, parts.items(), strict=False)
        )
        self.output_size = sum(leaf.output_size for leaf in self.leaves)

    def __call__(self, value: PyTree) -> Float[Array, " F"]:
        """Encode one value of the space."""
        given = {} if self.space is None else split(self.space, value, self.prefix)
        parts = [leaf(part) for leaf, part in zip(self.leaves, given.values(), strict=True)]
        return jnp.concatenate([jnp.zeros(0), *parts])


def encode(space: Space, value: PyTree) -> Float[Array, " S"]:
    """Return one value as floats that need no parameters.

    Args:
        space: what the value is.
        value: without batch or time.

    Returns:
        Numbers as they are, categories one-hot, in the order of `flatten`; `space.size` floats.
    """
    leaves = split(space, value)
    parts = [_plain(leaf, leaves[name]) for name, leaf in flatten(space).items()]
    return jnp.concatenate([jnp.zeros(0), *parts])


def _plain(leaf: Leaf, value: ArrayLike) -> Float[Array, " S"]:
    if isinstance(leaf, Discrete):
        return jax.nn.one_hot(value, leaf.n)
    if isinstance(leaf, MultiDiscrete):
        codes = [jax.nn.one_hot(value[i], n) for i, n in enumerate(leaf.nvec)]
        return jnp.concatenate([jnp.zeros(0), *codes])
    return jnp.ravel(jnp.asarray(value)).astype(jnp.float32)


def numbers(space: Space, value: PyTree) -> Float[Array, " N"]:
    """Return one value as one float a number, categories too: enough to recognise it by."""
    parts = [jnp.ravel(jnp.asarray(v)).astype(jnp.float32) for v in split(space, value).values()]
    return jnp.concatenate([jnp.zeros(0), *parts])
