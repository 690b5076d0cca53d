"""The gated recurrent unit (Cho et al. 2014, arXiv 1406.1078)."""

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.types import Key
from memup.memories.stack import (
    AbstractLayer,
    AbstractStack,
    LayerState,
    initial_weights,
    scan_cell,
    zeros_like_rows,
)


@final
class GRULayer(AbstractLayer):
    """One GRU layer in the form that resets after the product, as cuDNN has it.

    r, z = sigmoid of their shares; n = tanh(x W_n + b + r * (h U_n + b_n)); h' = (1 - z) n + z h.

    Args:
        input_size: I.
        size: D.
        timescale: if above 1, z begins with time scales spread up to so many steps (chrono
            initialisation, Tallec and Ollivier 2018, eq. 15).
        key: for the initial weights.
    """

    weight_x: Float[Array, "I D3"]
    weight_h: Float[Array, "D D3"]
    bias: Float[Array, " D3"]
    bias_n: Float[Array, " D"]

    def __init__(self, input_size: int, size: int, timescale: int, *, key: Key):
        self.weight_x, self.weight_h = initial_weights(input_size, size, 3, key)
        keep = jnp.zeros(size)
        if timescale > 1:
            longest = max(timescale - 1.0, 1.0)
            keep = jnp.log(jax.random.uniform(key, (size,), minval=1.0, maxval=longest))
        self.bias = jnp.concatenate([jnp.zeros(size), keep, jnp.zeros(size)])
        self.bias_n = jnp.zeros(size)

    def initial(self) -> LayerState:
        """Return (h,) = 0."""
        return zeros_like_rows(self.weight_h, 1)

    def cell(self, pre_x: Array, pre_h: Array, state: LayerState) -> LayerState:
        """Return (h',)."""
        (h,) = state
        x_r, x_z, x_n = jnp.split(pre_x, 3)
        h_r, h_z, h_n = jnp.split(pre_h, 3)
        n = jnp.tanh(x_n + jax.nn.sigmoid(x_r + h_r) * (h_n + self.bias_n))
        return (n + jax.nn.sigmoid(x_z + h_z) * (h - n),)

    def unroll(
        self, state: LayerState, xs: Float[Array, "T I"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T D"]]:
        """Read T inputs; see AbstractLayer."""
        return scan_cell(self, state, xs, first)


@final
class GRU(AbstractStack):
    """Gated recurrent units in one or more layers.

    Args:
        input_size: I, floats a step.
        size: D, units of each layer.
        layers: how many.
        timescale: see GRULayer.
        key: for the initial weights.
    """

    layers: tuple[GRULayer, ...]
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(self, input_size: int, size: int, layers: int, timescale: int, *, key: Key):
        self.input_size, self.output_size = input_size, size
        sizes = [input_size] + [size] * (layers - 1)
        keys = jax.random.split(key, layers)
        self.layers = tuple(
            GRULayer(n, size, timescale, key=k) for n, k in zip(sizes, keys, strict=True)
        )
