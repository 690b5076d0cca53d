"""Aggregated memory for reinforcement learning (Beck et al., ICLR 2020, Bkl7bREtDr).

Half of an LSTM's output goes through a running maximum or mean over the episode, which keeps what
it saw however long ago; the other half goes past it, for what depends on order.
"""

import abc
from typing import final

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.errors import require
from memup.core.types import Key
from memup.memories.base import AbstractParallel
from memup.memories.lstm import LSTMLayer
from memup.memories.stack import LayerState
from memup.ops.aggregation import (
    mean,
    mean_straight_through,
    running_max,
    running_max_straight_through,
    running_sum,
)

AMRLState = tuple[LayerState, LayerState]


class AbstractAMRL(AbstractParallel):
    """An LSTM of which one half is aggregated.

    y_t = [h_t[:D/2], aggregate of h_1[D/2:] to h_t[D/2:]]

    Args:
        input_size: I, floats a step.
        size: D, units of the LSTM and floats of the output; even.
        forget_bias: see LSTMLayer.
        timescale: see LSTMLayer.
        straight_through: whether the gradient passes the aggregator undiminished.
        key: for the initial weights.

    Raises:
        MemupError: the size is odd.
    """

    layer: LSTMLayer
    straight_through: bool = eqx.field(static=True)
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        size: int,
        forget_bias: float,
        timescale: int,
        straight_through: bool,
        *,
        key: Key,
    ):
        require(size % 2 == 0, f"memory.size={size}: expected an even number, for two halves")
        self.layer = LSTMLayer(input_size, size, forget_bias, timescale, key=key)
        self.straight_through = straight_through
        self.input_size, self.output_size = input_size, size

    @abc.abstractmethod
    def before(self, zeros: Float[Array, " N"]) -> LayerState:
        """Return the aggregator's state before an episode, made of N = D/2 zeros."""

    @abc.abstractmethod
    def aggregate(
        self, state: LayerState, xs: Float[Array, "T N"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T N"]]:
        """Return the aggregator's state after T inputs, and its T values."""

    def initial_state(self) -> AMRLState:
        """Return zeros: (h, c) of the LSTM, and the aggregator's state."""
        h, c = self.layer.initial()
        return (h, c), self.before(h[: self.output_size // 2])

    def unroll(
        self,
        state: AMRLState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[AMRLState, Float[Array, "T D"]]:
        """Run the LSTM over all steps, then the aggregator; see AbstractMemory."""
        of_layer, hs = self.layer.unroll(state[0], xs, first)
        skip, rest = jnp.split(hs, 2, axis=1)
        of_aggregator, aggregated = self.aggregate(state[1], rest, first)
        return (of_layer, of_aggregator), jnp.concatenate([skip, aggregated], axis=1)


@final
class AMRLMax(AbstractAMRL):
    """AMRL with the running maximum, which is never below 0."""

    def before(self, zeros: Float[Array, " N"]) -> LayerState:
        """Return the maximum."""
        return (zeros,)

    def aggregate(
        self, state: LayerState, xs: Float[Array, "T N"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T N"]]:
        """Return the last maximum and all T of them."""
        run = running_max_straight_through if self.straight_through else running_max
        ys = run(state[0], xs, first)
        return (ys[-1],), ys


@final
class AMRLAvg(AbstractAMRL):
    """AMRL with the running mean."""

    def before(self, zeros: Float[Array, " N"]) -> LayerState:
        """Return the sum [N] and the count of steps []."""
        return zeros, jnp.sum(zeros)

    def aggregate(
        self, state: LayerState, xs: Float[Array, "T N"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T N"]]:
        """Return the last sum and count, and all T means."""
        with_ones = jnp.pad(xs, ((0, 0), (0, 1)), constant_values=1)
        sums = running_sum(jnp.append(*state), with_ones, first)
        divide = mean_straight_through if self.straight_through else mean
        return (sums[-1, :-1], sums[-1, -1]), divide(sums[:, :-1], sums[:, -1])
