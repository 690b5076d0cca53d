"""Long short-term memory (Hochreiter and Schmidhuber 1997), with forget gate."""

from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.types import Key
from memup.memories.lstm_scan import lstm_cell, lstm_gates, lstm_scan
from memup.memories.stack import (
    AbstractLayer,
    AbstractStack,
    LayerState,
    initial_weights,
    zeros_like_rows,
)


@final
class LSTMLayer(AbstractLayer):
    """i, f, o = sigmoid, g = tanh of x W + h U + b; c' = f c + i g; h' = o tanh(c').

    Gates lie in the order i, f, g, o.

    Args:
        input_size: I.
        size: D.
        forget_bias: b of the forget gate at the start.
        timescale: if above 1, the gates begin with time scales spread up to so many steps
            (chrono initialisation, Tallec and Ollivier 2018, eq. 16) instead.
        key: for the initial weights.
    """

    weight_x: Float[Array, "I D4"]
    weight_h: Float[Array, "D D4"]
    bias: Float[Array, " D4"]

    def __init__(
        self,
        input_size: int,
        size: int,
        forget_bias: float,
        timescale: int,
        *,
        key: Key,
    ):
        self.weight_x, self.weight_h = initial_weights(input_size, size, 4, key)
        forget = jnp.full(size, forget_bias)
        write = jnp.zeros(size)
        if timescale > 1:
            steps = jax.random.uniform(key, (size,), minval=1.0, maxval=max(timescale - 1.0, 1.0))
            forget, write = jnp.log(steps), -jnp.log(steps)
        self.bias = jnp.concatenate([write, forget, jnp.zeros(2 * size)])

    def initial(self) -> LayerState:
        """Return (h, c) = 0."""
        return zeros_like_rows(self.weight_h, 2)

    def cell(self, pre_x: Array, pre_h: Array, state: LayerState) -> LayerState:
        """Return (h', c')."""
        return lstm_cell(lstm_gates(pre_x + pre_h), state[1])

    def unroll(
        self, state: LayerState, xs: Float[Array, "T I"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T D"]]:
        """Read T inputs; see AbstractLayer."""
        weight = jnp.concatenate([self.weight_h, self.weight_x])
        return lstm_scan(xs, weight, self.bias, state, first)


@final
class LSTM(AbstractStack):
    """Long short-term memory of one or more layers.

    Args:
        input_size: I, floats a step.
        size: D, units of each layer.
        layers: how many.
        forget_bias: bias of the forget gates at the start (Jozefowicz et al. 2015: 1).
        timescale: see LSTMLayer.
        key: for the initial weights.
    """

    layers: tuple[LSTMLayer, ...]
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        size: int,
        layers: int,
        forget_bias: float,
        timescale: int,
        *,
        key: Key,
    ):
        self.input_size, self.output_size = input_size, size
        sizes = [input_size] + [size] * (layers - 1)
        keys = jax.random.split(key, layers)
        self.layers = tuple(
            LSTMLayer(n, size, forget_bias, timescale, key=k)
            for n, k in zip(sizes, keys, strict=True)
        )
