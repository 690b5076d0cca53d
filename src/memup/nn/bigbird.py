"""Big Bird as an encoder of a whole sequence (Zaheer et al. 2020, arXiv 2007.14062)."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.errors import require
from memup.core.types import Key
from memup.nn.transformer import FeedForward, Heads, Norm, sinusoids
from memup.ops.block_sparse import Pattern, block_sparse_attention


class Layer(eqx.Module):
    """x + A(LN(x)), then x + F(LN(x)), where A looks where its pattern says.

    Args:
        size: D.
        heads: H.
        pattern: blocks that are looked at.
        key: for the initial weights.
    """

    norm_attention: Norm
    attention: Heads
    norm_forward: Norm
    forward: FeedForward
    pattern: Pattern = eqx.field(static=True)

    def __init__(self, size: int, heads: int, pattern: Pattern, *, key: Key):
        keys = jax.random.split(key)
        self.norm_attention, self.norm_forward = Norm(size), Norm(size)
        self.attention = Heads(size, heads, key=keys[0])
        self.forward = FeedForward(size, key=keys[1])
        self.pattern = pattern

    def __call__(
        self, x: Float[Array, "n D"], valid: Bool[Array, " n"] | None = None
    ) -> Float[Array, "n D"]:
        """Pass over a sequence; see BigBird."""
        normed = self.norm_attention(x)
        q = self.attention.queries(normed)
        k, v = self.attention.keys_and_values(normed)
        read = block_sparse_attention(q, k, v, self.pattern, valid)
        h = x + self.attention.join(read)
        return h + self.forward(self.norm_forward(h))


class BigBird(eqx.Module):
    """L layers of block-sparse attention over a whole sequence: time and memory are O(n).

    Positions are waves, added to the embedded inputs. Any two steps are two layers apart through
    the global blocks, which are the first g of the sequence (the "internal" global tokens of the
    paper, section 2); the random blocks differ between layers and heads.

    Args:
        input_size: I, floats a step.
        size: D, a multiple of `heads`.
        layers: L.
        heads: H.
        pattern: blocks that are looked at; `causal` turns the encoder into a decoder.
        key: for the initial weights.

    Raises:
        MemupError: the heads do not divide the size.
    """

    embed: eqx.nn.Linear
    layers: tuple[Layer, ...]
    norm: Norm

    def __init__(
        self, input_size: int, size: int, layers: int, heads: int, pattern: Pattern, *, key: Key
    ):
        require(
            heads >= 1 and size % heads == 0,
            f"size={size}: expected a multiple of heads={heads}",
        )
        keys = jax.random.split(key, layers + 1)
        self.embed = eqx.nn.Linear(input_size, size, key=keys[0])
        patterns = [replace(pattern, seed=(*pattern.seed, layer)) for layer in range(layers)]
        self.layers = tuple(
            Layer(size, heads, p, key=k) for p, k in zip(patterns, keys[1:], strict=True)
        )
        self.norm = Norm(size)

    def __call__(
        self, xs: Float[Array, "n I"], valid: Bool[Array, " n"] | None = None
    ) -> Float[Array, "n D"]:
        """Encode a sequence.

        Args:
            xs: inputs; the pattern's block divides n.
            valid: False where a step is padding, which nobody looks at; None where none is.

        Raises:
            MemupError: the block does not divide n.
        """
        h = jax.vmap(self.embed)(xs)
        h = h + sinusoids(jnp.arange(h.shape[0], dtype=h.dtype), h.shape[1])
        for layer in self.layers:
            h = layer(h, valid)
        return self.norm(h)
