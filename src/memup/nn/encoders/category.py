"""Categories: one-hot where there are few, looked up in tables where there are many."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from memup.core.spaces import Discrete, MultiDiscrete
from memup.core.types import Key

FEW = 512
WIDTH = 64
MOST_ROWS = 4096
HASHES = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)


class OneHot(eqx.Module):
    """One flag a category; what a linear layer makes of it is a look-up.

    Attributes:
        categories: n.
    """

    categories: int = eqx.field(static=True)

    @property
    def output_size(self) -> int:
        """One float a category."""
        return self.categories

    def __call__(self, value: ArrayLike) -> Float[Array, " n"]:
        """Encode one category."""
        return jax.nn.one_hot(value, self.categories)


class LookUp(eqx.Module):
    """A learned vector a category.

    Beyond 4,096 categories three rows, chosen by hashes, are added (Serra and Karatzoglou 2017,
    arXiv 1706.03993): a million categories cost no more than thousands, and two of them seldom
    share all three.

    Attributes:
        table: [rows, 64].
        hashed: whether rows are chosen by hashes.
    """

    table: Float[Array, "rows W"]
    hashed: bool = eqx.field(static=True)

    def __init__(self, categories: int, *, key: Key):
        self.hashed = categories > MOST_ROWS
        rows = min(categories, MOST_ROWS)
        self.table = jax.random.normal(key, (rows, WIDTH)) / np.sqrt(len(HASHES) ** self.hashed)

    @property
    def output_size(self) -> int:
        """Numbers of a vector."""
        return WIDTH

    def __call__(self, value: ArrayLike) -> Float[Array, " W"]:
        """Encode one category."""
        if not self.hashed:
            return jnp.take(self.table, jnp.asarray(value), axis=0, mode="clip")
        mixed = jnp.asarray(value).astype(jnp.uint32) * jnp.array(HASHES, jnp.uint32)
        mixed = (mixed ^ (mixed >> 15)) * jnp.uint32(0x27D4EB2F)
        rows = (mixed >> 16) % jnp.uint32(self.table.shape[0])
        return jnp.sum(jnp.take(self.table, rows.astype(jnp.int32), axis=0), axis=0)


class CategoryEncoder(eqx.Module):
    """One category, or several whose codes are laid end to end.

    Attributes:
        codes: of each of them.
        output_size: floats of all.
    """

    codes: tuple[OneHot | LookUp, ...]
    output_size: int = eqx.field(static=True)

    def __init__(self, leaf: Discrete | MultiDiscrete, *, key: Key):
        """Make the codes of a leaf."""
        sizes = (leaf.n,) if isinstance(leaf, Discrete) else leaf.nvec
        keys = jax.random.split(key, max(len(sizes), 1))
        self.codes = tuple(
            OneHot(n) if n <= FEW else LookUp(n, key=k) for n, k in zip(sizes, keys, strict=False)
        )
        self.output_size = sum(code.output_size for code in self.codes)

    def __call__(self, value: ArrayLike) -> Float[Array, " F"]:
        """Encode one value of the leaf."""
        each = jnp.ravel(jnp.asarray(value))
        return jnp.concatenate(
            [jnp.zeros(0), *(code(each[i]) for i, code in enumerate(self.codes))]
        )
