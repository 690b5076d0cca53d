"""The simple recurrent network (Elman, "Finding structure in time", 1990)."""

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
class ElmanLayer(AbstractLayer):
    """h' = tanh(x W + h U + b).

    Args:
        input_size: I.
        size: D.
        key: for the initial weights.
    """

    weight_x: Float[Array, "I D"]
    weight_h: Float[Array, "D D"]
    bias: Float[Array, " D"]

    def __init__(self, input_size: int, size: int, *, key: Key):
        self.weight_x, self.weight_h = initial_weights(input_size, size, 1, key)
        self.bias = jnp.zeros(size)

    def initial(self) -> LayerState:
        """Return (h,) = 0."""
        return zeros_like_rows(self.weight_h, 1)

    def cell(self, pre_x: Array, pre_h: Array, state: LayerState) -> LayerState:
        """Return (h',)."""
        return (jnp.tanh(pre_x + pre_h),)

    def unroll(
        self, state: LayerState, xs: Float[Array, "T I"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T D"]]:
        """Read T inputs; see AbstractLayer."""
        return scan_cell(self, state, xs, first)


@final
class ElmanRNN(AbstractStack):
    """Elman network of one or more layers.

    Args:
        input_size: I, floats a step.
        size: D, units of each layer.
        layers: how many.
        key: for the initial weights.
    """

    layers: tuple[ElmanLayer, ...]
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(self, input_size: int, size: int, layers: int, *, key: Key):
        self.input_size, self.output_size = input_size, size
        sizes = [input_size] + [size] * (layers - 1)
        keys = jax.random.split(key, layers)
        self.layers = tuple(ElmanLayer(n, size, key=k) for n, k in zip(sizes, keys, strict=True))
