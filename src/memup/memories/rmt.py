"""A Transformer over the last W steps with recurrent memory tokens.

After the recurrent memory Transformer (Bulatov et al. 2022, arXiv 2207.06881), with tokens of each
layer's own and a convex update, as ELMUR has (arXiv 2510.07151). Here tokens are written at every
step instead of once a segment, so that any splitting of a sequence gives the same.
"""

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from memup.core.types import Key
from memup.memories.base import AbstractParallel
from memup.memories.window import WindowState, begin_window, empty_window, end_window
from memup.nn.transformer import FeedForward, Heads, Norm, draw
from memup.ops.attention import banded_attention


class TokenState(NamedTuple):
    """What the memory carries.

    Attributes:
        window: the last W - 1 steps.
        tokens: K of each layer; every head has d = D / H numbers of each, [L, K, H, d].
    """

    window: WindowState
    tokens: Float[Array, "*n L K H d"]


@final
class Tokens(eqx.Module):
    """K memory tokens, in each head a value m [d] with a learned name e [d].

    Reading, with a query q of the step: scores q . (m + e) / sqrt(d), values m, in one softmax with
    the steps of the window. Writing, by attention of each token to the step's output u and itself:

        z = sigmoid(k(u) . (m + e) / sqrt(d) + b),   m' = m + z (v(u) - m).

    v(u) is of a normed u, so values stay bounded. b = -log(s - 1) with time scales s from 2 steps
    up, evenly spread on a logarithmic axis: at the start a value fades as e^(-t/s), which is the
    initialisation of Tallec and Ollivier 2018 (arXiv 1804.11188, eq. 16).

    Args:
        size: D.
        tokens: K.
        heads: H.
        timescale: the longest time scale at the start, in steps.
        key: for the initial weights.
    """

    initial: Float[Array, "K H d"]
    names: Float[Array, "K H d"]
    weight_read: Float[Array, "D D"]
    norm: Norm
    weight_write: Float[Array, "D D2"]
    bias: Float[Array, "K H"]

    def __init__(self, size: int, tokens: int, heads: int, timescale: float, *, key: Key):
        keys = jax.random.split(key, 4)
        shape = (tokens, heads, size // heads)
        self.initial = jnp.zeros(shape)
        self.names = jax.random.normal(keys[0], shape)
        self.weight_read = draw(size, size, keys[1])
        self.norm = Norm(size)
        # Weak at the start, lest they blur the time scales that the bias sets.
        ask = 0.1 * draw(size, size, keys[2])
        self.weight_write = jnp.concatenate([ask, draw(size, size, keys[3])], axis=1)
        scales = np.geomspace(2.0, max(timescale, 2.0), tokens * heads)
        self.bias = jnp.asarray(-np.log(scales - 1).reshape(tokens, heads), self.names.dtype)

    def read(
        self,
        tokens: Float[Array, "K H d"],
        query: Float[Array, "H d"],
        seen: Float[Array, "H d"],
        total: Float[Array, " H"],
    ) -> Float[Array, "H d"]:
        """Read the tokens together with the window.

        Args:
            tokens: the values.
            query: what the step asks of them.
            seen: what it read in the window.
            total: logarithm of the sum of e^score over the window: the window so stands as one
                more key whose weight is that of all its steps.
        """
        scores = jnp.sum((tokens + self.names) * query[None], axis=2) * query.shape[1] ** -0.5
        weight = jax.nn.softmax(jnp.concatenate([scores, total[None]]), axis=0)
        values = jnp.concatenate([tokens, seen[None]])
        return jnp.sum(values * weight[:, :, None], axis=0)

    def write(self, tokens: Float[Array, "K H d"], u: Float[Array, " D"]) -> Array:
        """Return the tokens after the step's output u."""
        ask, value = (self.norm(u[None]) @ self.weight_write).reshape(2, *tokens.shape[1:])
        scores = jnp.sum((tokens + self.names) * ask[None], axis=2) * ask.shape[1] ** -0.5
        gate = jax.nn.sigmoid(scores + self.bias)
        return tokens + gate[:, :, None] * (value[None] - tokens)


@final
class Block(eqx.Module):
    """h = x + A(LN(x)) over window and tokens, then h + F(LN(h)).

    Args:
        size: D.
        window: W.
        tokens: K.
        heads: H.
        timescale: see Tokens.
        key: for the initial weights.
    """

    norm_attention: Norm
    attention: Heads
    ages: Float[Array, "W H d"]
    tokens: Tokens
    norm_forward: Norm
    forward: FeedForward

    def __init__(
        self, size: int, window: int, tokens: int, heads: int, timescale: float, *, key: Key
    ):
        keys = jax.random.split(key, 4)
        self.norm_attention, self.norm_forward = Norm(size), Norm(size)
        self.attention = Heads(size, heads, key=keys[0])
        self.ages = jax.random.normal(keys[1], (window, heads, size // heads)) * size**-0.5
        self.tokens = Tokens(size, tokens, heads, timescale, key=keys[2])
        self.forward = FeedForward(size, key=keys[3])

    def __call__(
        self,
        tokens: Float[Array, "K H d"],
        rows: Float[Array, "S D"],
        episode: Int[Array, " S"],
        first: Bool[Array, " T"],
    ) -> tuple[Float[Array, "K H d"], Float[Array, "T D"]]:
        """Read M old and T new rows; see `begin_window`.

        The window is read for all steps at once; only tokens wait for the step before.
        """
        x, normed = rows[-first.shape[0] :], self.norm_attention(rows)
        of_steps = normed[-first.shape[0] :]
        q = self.attention.queries(of_steps)
        k, v = self.attention.keys_and_values(normed)
        seen, total = banded_attention(q, q, k, v, self.ages, episode)
        query = (of_steps @ self.tokens.weight_read).reshape(q.shape)

        def body(tokens: Array, now: tuple[Array, ...]) -> tuple[Array, Array]:
            first_t, x_t, *of_step = now
            tokens = jnp.where(first_t, self.tokens.initial, tokens)
            u = x_t + self.attention.join(self.tokens.read(tokens, *of_step)[None])[0]
            return self.tokens.write(tokens, u), u

        tokens, h = jax.lax.scan(body, tokens, (first, x, query, seen, total))
        return tokens, h + self.forward(self.norm_forward(h))


@final
class RecurrentMemoryTransformer(AbstractParallel):
    """Attention to the last W steps and to K tokens that carry what happened before them.

    Args:
        input_size: I, floats a step.
        size: D, a multiple of `heads`.
        window: W, steps that a layer looks at, the present one included.
        tokens: K, memory tokens of each layer.
        layers: L.
        heads: H.
        timescale: the longest time scale of the tokens at the start, in steps.
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
        tokens: int,
        layers: int,
        heads: int,
        timescale: float,
        *,
        key: Key,
    ):
        self.input_size, self.output_size, self.window = input_size, size, window
        keys = jax.random.split(key, layers + 1)
        self.embed = eqx.nn.Linear(input_size, size, key=keys[0])
        self.blocks = tuple(Block(size, window, tokens, heads, timescale, key=k) for k in keys[1:])
        self.norm = Norm(size)

    def initial_state(self) -> TokenState:
        """Return an empty window and the learned tokens."""
        window = empty_window(len(self.blocks), self.window, self.embed.bias)
        return TokenState(window, jnp.stack([b.tokens.initial for b in self.blocks]))

    def unroll(
        self,
        state: TokenState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[TokenState, Float[Array, "T D"]]:
        """Read T inputs; see AbstractMemory."""
        window, episode = begin_window(state.window, first)
        h, rows, after = jax.vmap(self.embed)(xs), [], []
        for block, old, tokens in zip(self.blocks, window.rows, state.tokens, strict=True):
            rows.append(jnp.concatenate([old, h]))
            tokens, h = block(tokens, rows[-1], episode, first)
            after.append(tokens)
        return TokenState(end_window(window, rows, episode), jnp.stack(after)), self.norm(h)
