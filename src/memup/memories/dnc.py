"""The Differentiable Neural Computer (Graves et al. 2016, Nature 538:471)."""

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.errors import require
from memup.core.types import Key
from memup.memories.controller import AbstractController, AbstractMachine, linear, make_controller
from memup.ops import addressing


class Slots(NamedTuple):
    """The memory and what the heads know about it.

    Attributes:
        memory: M, [N, W].
        usage: u, [N].
        write: the last write weighting, [N].
        read: the last read weightings, [R, N].
        links: L and the precedence p, [N, N] and [N]; empty without links.
    """

    memory: Array
    usage: Array
    write: Array
    read: Array
    links: tuple[Array, ...]


def oneplus(x: Array) -> Array:
    """Return 1 + log(1 + e^x) (DNC, Methods)."""
    return 1 + jax.nn.softplus(x)


@final
class DNC(AbstractMachine):
    """Slots that are allocated, linked in the order of writing, and freed after reading.

    Args:
        input_size: I, floats a step.
        size: D, units of the controller and floats of the output.
        slots: N.
        width: W, floats a slot.
        read_heads: R; one head writes.
        links: keep the order of writing: N*N numbers and the read modes forward and backward.
        masked_lookup: keys say which numbers of a slot to compare (arXiv 1904.10278).
        dealloc: freed slots lose their content too (the same paper).
        sharpen: what the links give is sharpened (the same paper).
        usage_gradient: differentiate usage through the write weightings; DeepMind's release
            does not.
        controller: "lstm" or "feed-forward".
        timescale: of the LSTM's gates at the start; see LSTMLayer.
        key: for the initial weights.
    """

    controller: AbstractController
    heads: tuple[Float[Array, "D P"], Float[Array, " P"]]
    output: tuple[Float[Array, "DV O"], Float[Array, " O"]]
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)
    slots: int = eqx.field(static=True)
    width: int = eqx.field(static=True)
    read_heads: int = eqx.field(static=True)
    links: bool = eqx.field(static=True)
    masked_lookup: bool = eqx.field(static=True)
    dealloc: bool = eqx.field(static=True)
    sharpen: bool = eqx.field(static=True)
    usage_gradient: bool = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        size: int,
        slots: int,
        width: int,
        read_heads: int,
        links: bool,
        masked_lookup: bool,
        dealloc: bool,
        sharpen: bool,
        usage_gradient: bool,
        controller: str,
        timescale: int,
        *,
        key: Key,
    ):
        require(
            links or not sharpen,
            "memory.sharpen=True: expected memory.links=True, whose weightings it sharpens",
        )
        self.input_size, self.output_size = input_size, size
        self.slots, self.width, self.read_heads = slots, width, read_heads
        self.links, self.masked_lookup = links, masked_lookup
        self.dealloc, self.sharpen = dealloc, sharpen
        self.usage_gradient = usage_gradient
        keys = jax.random.split(key, 3)
        reads = read_heads * width
        self.controller = make_controller(controller, input_size, reads, size, timescale, keys[0])
        given = sum(self._parts())
        self.heads = linear(size, given, keys[1]), jnp.zeros(given)
        self.output = linear(size + reads, size, keys[2]), jnp.zeros(size)

    def _parts(self) -> list[int]:
        """Return the sizes of what the controller says, in the order of `access`.

        Keys, erase, write vector, strengths, free gates, allocation and write gate, read modes,
        powers of the links, masks. Of keys, strengths and masks the writer's come last.
        """
        heads, readers, width = self.read_heads + 1, self.read_heads, self.width
        modes = 3 * readers if self.links else 0
        powers = 2 * readers if self.sharpen else 0
        masks = heads * width if self.masked_lookup else 0
        return [heads * width, width, width, heads, readers, 2, modes, powers, masks]

    def initial_slots(self) -> tuple[Slots, Float[Array, " V"]]:
        """Return zeros."""
        n, r, kind = self.slots, self.read_heads, self.heads[1].dtype
        links = (jnp.zeros((n, n), kind), jnp.zeros(n, kind)) if self.links else ()
        none = jnp.zeros(n, kind)
        slots = Slots(jnp.zeros((n, self.width), kind), none, none, jnp.zeros((r, n), kind), links)
        return slots, jnp.zeros(r * self.width, kind)

    def access(self, slots: Slots, given: Float[Array, " P"]) -> tuple[Slots, Float[Array, " V"]]:
        """Free and allocate, write, link, read (Methods, in this order)."""
        readers = self.read_heads
        keys, erase, vector, strength, free, gates, modes, powers, mask = jax.lax.split(
            given, self._parts()
        )
        keys = keys.reshape(readers + 1, self.width)
        strength, gates = oneplus(strength), jax.nn.sigmoid(gates)
        mask = jax.nn.sigmoid(mask).reshape(readers + 1, self.width) if self.masked_lookup else None

        def find(memory: Array, heads: slice) -> Array:
            of_heads = None if mask is None else mask[heads]
            return addressing.content_weights(keys[heads], strength[heads], memory, of_heads)

        retained = addressing.retention(jax.nn.sigmoid(free), slots.read)
        written = slots.write if self.usage_gradient else jax.lax.stop_gradient(slots.write)
        usage = addressing.next_usage(slots.usage, written, retained)
        found = find(slots.memory, slice(readers, None))
        free_slot = addressing.allocation(usage)[None]
        write = gates[1] * addressing.interpolate(free_slot, found, gates[:1])
        memory = slots.memory * retained[:, None] if self.dealloc else slots.memory
        memory = addressing.write(memory, write, jax.nn.sigmoid(erase)[None], vector[None])
        read = find(memory, slice(0, readers))
        links = ()
        if self.links:
            links, read = self._walk(slots, write[0], read, modes, powers)
        reads = addressing.read(read, memory)
        return Slots(memory, usage, write[0], read, links), reads.reshape(-1)

    def _walk(
        self, slots: Slots, write: Array, found: Array, modes: Array, powers: Array
    ) -> tuple[tuple[Array, Array], Array]:
        """Update the links and mix the three ways to read: backward, by content, forward."""
        links, precedence = slots.links
        links = addressing.next_links(links, precedence, write)
        forward, backward = addressing.follow_links(links, slots.read)
        if self.sharpen:
            power_f, power_b = jnp.split(oneplus(powers), 2)
            forward = addressing.sharpen(forward, power_f, 1e-6)
            backward = addressing.sharpen(backward, power_b, 1e-6)
        mode = jax.nn.softmax(modes.reshape(3, self.read_heads), axis=0)[:, :, None]
        read = mode[0] * backward + mode[1] * found + mode[2] * forward
        return (links, addressing.next_precedence(precedence, write)), read
