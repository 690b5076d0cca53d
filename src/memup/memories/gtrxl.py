"""The gated Transformer-XL of "Stabilizing Transformers for RL" (Parisotto et al., 1910.06764)."""

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from memup.core.types import Key
from memup.memories.window import AbstractBlock, AbstractWindowMemory
from memup.nn.transformer import FeedForward, Heads, Norm, draw, sinusoids
from memup.ops.attention import banded_attention


@final
class Gate(eqx.Module):
    """A GRU in the place of the residual sum x + y (section 3.2 of the paper).

    r = sigmoid(y W_r + x U_r), z = sigmoid(y W_z + x U_z - b), h = tanh(y W_h + (r x) U_h),
    x' = (1 - z) x + z h. A large b keeps z small: the block then begins near the identity.

    Args:
        size: D.
        bias: b at the start.
        key: for the initial weights.
    """

    weight_y: Float[Array, "D D3"]
    weight_x: Float[Array, "D D2"]
    weight_h: Float[Array, "D D"]
    bias: Float[Array, " D"]

    def __init__(self, size: int, bias: float, *, key: Key):
        keys = jax.random.split(key, 3)
        self.weight_y = draw(size, 3 * size, keys[0])
        self.weight_x = draw(size, 2 * size, keys[1])
        self.weight_h = draw(size, size, keys[2])
        self.bias = jnp.full(size, bias)

    def __call__(self, x: Float[Array, "N D"], y: Float[Array, "N D"]) -> Float[Array, "N D"]:
        """Let as much of y into the stream x as the gate says.

        Args:
            x: the stream.
            y: what a part of the block made of it.
        """
        y_r, y_z, y_h = jnp.split(y @ self.weight_y, 3, axis=1)
        x_r, x_z = jnp.split(x @ self.weight_x, 2, axis=1)
        z = jax.nn.sigmoid(y_z + x_z - self.bias[None])
        h = jnp.tanh(y_h + (jax.nn.sigmoid(y_r + x_r) * x) @ self.weight_h)
        return x + z * (h - x)


@final
class Block(AbstractBlock):
    """x = gate(x, relu(A(LN(x)))), then x = gate(x, relu(F(LN(x)))).

    A has the relative positions of Transformer-XL (Dai et al. 2019, arXiv 1901.02860, section 3.3):
    (q + u) . k_j + (q + v) . (W_r R_age), with R a wave of the age; its memory is normed too.

    Args:
        size: D.
        window: W.
        heads: H.
        bias: see Gate.
        key: for the initial weights.
    """

    norm_attention: Norm
    attention: Heads
    weight_r: Float[Array, "D D"]
    bias_u: Float[Array, "H d"]
    bias_v: Float[Array, "H d"]
    gate_attention: Gate
    norm_forward: Norm
    forward: FeedForward
    gate_forward: Gate
    window: int = eqx.field(static=True)

    def __init__(self, size: int, window: int, heads: int, bias: float, *, key: Key):
        keys = jax.random.split(key, 5)
        self.window = window
        self.norm_attention, self.norm_forward = Norm(size), Norm(size)
        self.attention = Heads(size, heads, key=keys[0])
        self.weight_r = draw(size, size, keys[1])
        self.bias_u = self.bias_v = jnp.zeros((heads, size // heads))
        self.forward = FeedForward(size, key=keys[2])
        self.gate_attention = Gate(size, bias, key=keys[3])
        self.gate_forward = Gate(size, bias, key=keys[4])

    def ages(self) -> Float[Array, "W H d"]:
        """Return the key of each age."""
        waves = sinusoids(jnp.arange(self.window, dtype=self.weight_r.dtype), len(self.weight_r))
        return (waves @ self.weight_r).reshape(self.window, *self.bias_u.shape)

    def __call__(
        self, rows: Float[Array, "S D"], episode: Int[Array, " S"], steps: int
    ) -> Float[Array, "T D"]:
        """Read M old and T new rows, give T; see AbstractBlock."""
        x, normed = rows[-steps:], self.norm_attention(rows)
        q = self.attention.queries(normed[-steps:])
        k, v = self.attention.keys_and_values(normed)
        content, position = q + self.bias_u[None], q + self.bias_v[None]
        read, _ = banded_attention(content, position, k, v, self.ages(), episode)
        x = self.gate_attention(x, jax.nn.relu(self.attention.join(read)))
        return self.gate_forward(x, jax.nn.relu(self.forward(self.norm_forward(x))))


@final
class GTrXL(AbstractWindowMemory):
    """Transformer-XL with the norms moved to the front and gates in the place of residual sums.

    Like every Transformer over a window it can tell nothing that lies more than L (W - 1) steps
    back. The published agents have 12 layers with a memory of 512 steps each.

    Args:
        input_size: I, floats a step.
        size: D, a multiple of `heads`.
        window: W, steps that a layer looks at, the present one included; the memory has W - 1.
        layers: L.
        heads: H.
        bias: of the gates at the start; 2 in the paper.
        key: for the initial weights.
    """

    embed: eqx.nn.Linear
    blocks: tuple[Block, ...]
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
        bias: float,
        *,
        key: Key,
    ):
        self.input_size, self.output_size, self.window = input_size, size, window
        keys = jax.random.split(key, layers + 1)
        self.embed = eqx.nn.Linear(input_size, size, key=keys[0])
        self.blocks = tuple(Block(size, window, heads, bias, key=k) for k in keys[1:])

    def finish(self, h: Float[Array, "T D"]) -> Float[Array, "T D"]:
        """Give the rows as they are: the gates keep them bounded."""
        return h
