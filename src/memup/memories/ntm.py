"""The Neural Turing Machine (Graves, Wayne and Danihelka 2014, arXiv 1410.5401)."""

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.errors import require
from memup.core.types import Key
from memup.memories.controller import AbstractController, AbstractMachine, linear, make_controller
from memup.ops import addressing

BEGIN = 1e-6
"""What every number of the memory is before an episode (Collier and Beel 2018, 1807.08518)."""


class Tape(NamedTuple):
    """The memory and its heads.

    Attributes:
        memory: [N, W].
        weights: where each head stands, the readers first, [H, N].
    """

    memory: Array
    weights: Array


@final
class NTM(AbstractMachine):
    """Heads that find slots by content and move from slot to slot.

    Every step all heads are addressed on the memory as it was, then read from it, then write.

    Args:
        input_size: I, floats a step.
        size: D, units of the controller and floats of the output.
        slots: N.
        width: W, floats a slot.
        read_heads: how many heads read.
        write_heads: how many write.
        shift: S, how many slots a head can move at a step.
        controller: "lstm" or "feed-forward".
        timescale: of the LSTM's gates at the start; see LSTMLayer.
        key: for the initial weights.
    """

    controller: AbstractController
    heads: tuple[Float[Array, "D P"], Float[Array, " P"]]
    output: tuple[Float[Array, "DV O"], Float[Array, " O"]]
    begin: Float[Array, "H N"]
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    shift: int = eqx.field(static=True)
    read_heads: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        size: int,
        slots: int,
        width: int,
        read_heads: int,
        write_heads: int,
        shift: int,
        controller: str,
        timescale: int,
        *,
        key: Key,
    ):
        require(
            2 * shift < slots,
            f"memory.shift={shift}: expected less than half of memory.slots={slots}",
        )
        self.input_size, self.output_size = input_size, size
        self.width, self.shift, self.read_heads = width, shift, read_heads
        reads, heads = read_heads * width, read_heads + write_heads
        keys = jax.random.split(key, 4)
        self.controller = make_controller(controller, input_size, reads, size, timescale, keys[0])
        given = heads * (width + 3 + 2 * shift + 1) + write_heads * 2 * width
        self.heads = linear(size, given, keys[1]), jnp.zeros(given)
        self.output = linear(size + reads, size, keys[2]), jnp.zeros(size)
        # Unequal from the start: on a memory whose slots are all the same, heads that stand
        # everywhere at once could never move.
        self.begin = jax.random.normal(keys[3], (heads, slots))

    def initial_slots(self) -> tuple[Tape, Float[Array, " V"]]:
        """Return a memory of 1e-6, the learned first weightings and what they read."""
        memory = jnp.full((self.begin.shape[1], self.width), BEGIN, self.begin.dtype)
        weights = jax.nn.softmax(self.begin, axis=1)
        return Tape(memory, weights), jnp.full(
            self.read_heads * self.width, BEGIN, self.begin.dtype
        )

    def access(self, tape: Tape, given: Float[Array, " P"]) -> tuple[Tape, Float[Array, " V"]]:
        """Address all heads, read, then write (section 3)."""
        heads, wide, width = self.begin.shape[0], 2 * self.shift + 1, self.width
        readers = self.read_heads
        words = (heads - readers) * width
        parts = [heads * width, heads, heads, heads * wide, heads, words, words]
        keys, strength, gate, shift, power, erase, add = jax.lax.split(given, parts)
        found = addressing.content_weights(
            jnp.tanh(keys).reshape(heads, width), jax.nn.softplus(strength), tape.memory
        )
        weights = addressing.interpolate(found, tape.weights, jax.nn.sigmoid(gate))
        weights = addressing.circular_shift(
            weights, jax.nn.softmax(shift.reshape(heads, wide), axis=1)
        )
        weights = addressing.sharpen(weights, 1 + jax.nn.softplus(power))
        reads = addressing.read(weights[:readers], tape.memory)
        memory = addressing.write(
            tape.memory,
            weights[readers:],
            jax.nn.sigmoid(erase).reshape(-1, width),
            jnp.tanh(add).reshape(-1, width),
        )
        return Tape(memory, weights), reads.reshape(-1)
