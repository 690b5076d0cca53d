"""A Transformer over the last W steps (Vaswani et al. 2017, arXiv 1706.03762)."""

from typing import final

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int

from memup.core.types import Key
from memup.memories.window import AbstractBlock, AbstractWindowMemory
from memup.nn.transformer import FeedForward, Heads, Norm
from memup.ops.attention import banded_attention


@final
class Block(AbstractBlock):
    """x + A(LN(x)), then x + F(LN(x)): the norm stands first, as post-norm fails in RL.

    Args:
        size: D.
        window: W.
        heads: H.
        key: for the initial weights.
    """

    norm_attention: Norm
    attention: Heads
    ages: Float[Array, "W H d"]
    norm_forward: Norm
    forward: FeedForward

    def __init__(self, size: int, window: int, heads: int, *, key: Key):
        keys = jax.random.split(key, 3)
        self.norm_attention, self.norm_forward = Norm(size), Norm(size)
        self.attention = Heads(size, heads, key=keys[0])
        self.forward = FeedForward(size, key=keys[1])
        shape = (window, heads, size // heads)
        self.ages = jax.random.normal(keys[2], shape) * size**-0.5

    def __call__(
        self, rows: Float[Array, "S D"], episode: Int[Array, " S"], steps: int
    ) -> Float[Array, "T D"]:
        """Read M old and T new rows, give T; see AbstractBlock."""
        normed = self.norm_attention(rows)
        q = self.attention.queries(normed[-steps:])
        k, v = self.attention.keys_and_values(normed)
        read, _ = banded_attention(q, q, k, v, self.ages, episode)
        h = rows[-steps:] + self.attention.join(read)
        return h + self.forward(self.norm_forward(h))


@final
class WindowTransformer(AbstractWindowMemory):
    """softmax(Q (K + ages)^T / sqrt(d)) V over the last W steps, in L residual blocks.

    It can tell nothing that lies more than L (W - 1) steps back: the control that recurrent
    memories must beat. A learned embedding of each age is added to the keys (Shaw et al. 2018,
    arXiv 1803.02155, eq. 4).

    Args:
        input_size: I, floats a step.
        size: D, a multiple of `heads`.
        window: W, steps that a layer looks at, the present one included.
        layers: L.
        heads: H.
        key: for the initial weights.
    """

    embed: eqx.nn.Linear
    blocks: tuple[Block, ...]
    norm: Norm
    window: int = eqx.field(static=True)
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        size: int,
        window: int,
        layers: int,
        heads: int,
        *,
        key: Key,
    ):
        self.input_size, self.output_size, self.window = input_size, size, window
        keys = jax.random.split(key, layers + 1)
        self.embed = eqx.nn.Linear(input_size, size, key=keys[0])
        self.blocks = tuple(Block(size, window, heads, key=k) for k in keys[1:])
        self.norm = Norm(size)

    def finish(self, h: Float[Array, "T D"]) -> Float[Array, "T D"]:
        """Normalise: residual sums grow with the layers."""
        return self.norm(h)
