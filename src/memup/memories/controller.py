"""Controllers of memories with heads: a network that reads the input and what was read before."""

import abc
from typing import Any, NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.errors import require
from memup.core.types import Key, State
from memup.memories.base import AbstractMemory, reset_where
from memup.memories.lstm import LSTMLayer

CLIP = 20.0
"""Bound of what a controller gives to heads and output (Collier and Beel 2018, 1807.08518)."""


def linear(inputs: int, outputs: int, key: Key) -> Float[Array, "I O"]:
    """Draw a weight, uniform in +-1/sqrt(inputs)."""
    bound = inputs**-0.5
    return jax.random.uniform(key, (inputs, outputs), minval=-bound, maxval=bound)


class AbstractController(eqx.Module):
    """A network of size D whose input is x [I] beside the last reads [V].

    The input's share is taken out, so that a sequence needs one product for all of it.
    """

    @abc.abstractmethod
    def share(self, x: Float[Array, "*T I"]) -> Float[Array, "*T G"]:
        """Return the input's share of the pre-activations."""

    @abc.abstractmethod
    def initial(self) -> State:
        """Return the state before an episode."""

    @abc.abstractmethod
    def step(
        self, state: State, share: Float[Array, " G"], reads: Float[Array, " V"]
    ) -> tuple[State, Float[Array, " D"]]:
        """Return the next state and the units."""


@final
class LSTMController(AbstractController):
    """One LSTM layer; see LSTMLayer."""

    weight_in: Float[Array, "I D4"]
    layer: LSTMLayer

    def __init__(self, input_size: int, reads: int, size: int, timescale: int, *, key: Key):
        key_in, key_layer = jax.random.split(key)
        self.weight_in = linear(input_size, 4 * size, key_in)
        self.layer = LSTMLayer(reads, size, 1.0, timescale, key=key_layer)

    def share(self, x: Float[Array, "*T I"]) -> Float[Array, "*T D4"]:
        """Return x W."""
        return x @ self.weight_in

    def initial(self) -> State:
        """Return (h, c) = 0."""
        return self.layer.initial()

    def step(
        self, state: State, share: Float[Array, " D4"], reads: Float[Array, " V"]
    ) -> tuple[State, Float[Array, " D"]]:
        """Return (h', c') and h'."""
        layer = self.layer
        pre = share + reads @ layer.weight_x + layer.bias
        state = layer.cell(pre, state[0] @ layer.weight_h, state)
        return state, state[0]


@final
class FeedForwardController(AbstractController):
    """h = tanh(x W + r V + b): all that is remembered lies in the slots."""

    weight_in: Float[Array, "I D"]
    weight_reads: Float[Array, "V D"]
    bias: Float[Array, " D"]

    def __init__(self, input_size: int, reads: int, size: int, *, key: Key):
        key_in, key_reads = jax.random.split(key)
        self.weight_in = linear(input_size, size, key_in)
        self.weight_reads = linear(reads, size, key_reads)
        self.bias = jnp.zeros(size)

    def share(self, x: Float[Array, "*T I"]) -> Float[Array, "*T D"]:
        """Return x W."""
        return x @ self.weight_in

    def initial(self) -> State:
        """Return nothing: there is no state."""
        return ()

    def step(
        self, state: State, share: Float[Array, " D"], reads: Float[Array, " V"]
    ) -> tuple[State, Float[Array, " D"]]:
        """Return () and h."""
        return state, jnp.tanh(share + reads @ self.weight_reads + self.bias)


def make_controller(
    kind: str, input_size: int, reads: int, size: int, timescale: int, key: Key
) -> AbstractController:
    """Make an "lstm" or a "feed-forward" controller."""
    require(
        kind in ("lstm", "feed-forward"),
        f"memory.controller={kind}: expected lstm or feed-forward",
    )
    if kind == "lstm":
        return LSTMController(input_size, reads, size, timescale, key=key)
    return FeedForwardController(input_size, reads, size, key=key)


class MachineState(NamedTuple):
    """State of a controlled memory.

    Attributes:
        controller: state of the controller.
        reads: what the heads read last, [V].
        slots: the memory and what addresses it.
    """

    controller: State
    reads: Array
    slots: Any


class AbstractMachine(AbstractMemory):
    """A controller with heads on a memory of slots.

    At each step the controller reads x and the last reads; its units, through `heads`, drive the
    heads; the output is linear in the units and in what the heads now read.

    Attributes:
        controller: reads x and the last reads.
        heads: weight and bias from the units to the heads' P numbers.
        output: weight and bias from units and reads to the output.
    """

    controller: eqx.AbstractVar[AbstractController]
    heads: eqx.AbstractVar[tuple[Float[Array, "D P"], Float[Array, " P"]]]
    output: eqx.AbstractVar[tuple[Float[Array, "DV O"], Float[Array, " O"]]]

    @abc.abstractmethod
    def access(self, slots: Any, given: Float[Array, " P"]) -> tuple[Any, Float[Array, " V"]]:
        """Let the heads write and read as the controller says. Return the slots and the reads."""

    @abc.abstractmethod
    def initial_slots(self) -> tuple[Any, Float[Array, " V"]]:
        """Return slots and reads before an episode."""

    def initial_state(self) -> MachineState:
        """Return the state before an episode."""
        slots, reads = self.initial_slots()
        return MachineState(self.controller.initial(), reads, slots)

    def advance(
        self, state: MachineState, share: Float[Array, " G"]
    ) -> tuple[MachineState, Float[Array, " DV"]]:
        """Make one step. Return the state and [units, reads], from which the output comes."""
        controller, units = self.controller.step(state.controller, share, state.reads)
        weight, bias = self.heads
        slots, reads = self.access(state.slots, jnp.clip(units @ weight + bias, -CLIP, CLIP))
        return MachineState(controller, reads, slots), jnp.concatenate([units, reads])

    def outputs(self, both: Float[Array, "T DV"]) -> Float[Array, "T O"]:
        """Return the outputs from [units, reads]."""
        weight, bias = self.output
        return jnp.clip(both @ weight + bias[None], -CLIP, CLIP)

    def step(
        self, state: MachineState, x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[MachineState, Float[Array, " O"]]:
        """Read one input; see AbstractMemory."""
        state, both = self.advance(state, self.controller.share(x))
        return state, self.outputs(both[None])[0]

    def unroll(
        self,
        state: MachineState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[MachineState, Float[Array, "T O"]]:
        """Scan `advance`; inputs and outputs meet their weights in one product each.

        The gradient computes a step again instead of keeping all that it made: a third of the
        memory, and not slower.
        """
        initial = self.initial_state()

        def body(state: MachineState, now: Any) -> tuple[MachineState, Array]:
            first_t, share = now
            return self.advance(reset_where(first_t, initial, state), share)

        body = jax.checkpoint(body, prevent_cse=False)

        state, both = jax.lax.scan(body, state, (first, self.controller.share(xs)))
        return state, self.outputs(both)
