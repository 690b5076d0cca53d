"""A memory that reads environment steps: an encoder before any memory."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.types import BurnIn, Key, State, StepInput
from memup.memories.base import AbstractMemory, reset_where


class EncodedMemory(eqx.Module):
    """A memory that reads environment steps: encoder, then memory.

    Attributes:
        encoder: StepInput -> [I].
        memory: reads [I], gives [D].
    """

    encoder: eqx.Module
    memory: AbstractMemory

    @property
    def output_size(self) -> int:
        """D, floats that the memory gives a step."""
        return self.memory.output_size

    def initial_state(self) -> State:
        """Return the state before an episode."""
        return self.memory.initial_state()

    def step(self, state: State, x: StepInput) -> tuple[State, Float[Array, " D"]]:
        """Read one step; where `x.first`, from the initial state."""
        state = reset_where(x.first, self.memory.initial_state(), state)
        return self.memory.step(state, self.encoder(x))

    def unroll(
        self, state: State, xs: StepInput, key: Key | None = None
    ) -> tuple[State, Float[Array, "T D"]]:
        """Read T steps, leaves [T, ...]; `xs.first` says where episodes begin.

        With a key the encoder drops some of what it gives, each time other numbers.
        """
        keys = () if key is None else (jax.random.split(key, len(xs.first)),)
        return self.memory.unroll(state, jax.vmap(self.encoder)(xs, *keys), xs.first)


def read_burn_in(memory: EncodedMemory, rows: State, burn_in: BurnIn | None) -> State:
    """Let the last rows read what lies before their window, as many steps as each has.

    The loop is as long as the longest of them, so it has no gradient.

    Args:
        memory: what reads.
        rows: states of all B rows, leaves [B, ...].
        burn_in: what is read; None: nothing.

    Returns:
        The states of all rows, leaves [B, ...].
    """
    if burn_in is None:
        return rows
    long, steps = burn_in.count.shape[0], burn_in.x.first.shape[1]
    inputs = jax.vmap(jax.vmap(memory.encoder))(burn_in.x)
    begin = steps - burn_in.count[:, 0]

    def body(step: Array, states: State) -> State:
        after, _ = jax.vmap(memory.memory.step)(states, inputs[:, step])
        return jax.vmap(reset_where)(step >= begin, after, states)

    states = jax.tree.map(lambda a: a[-long:], rows)
    states = jax.lax.fori_loop(begin.min(), steps, body, states)
    return jax.tree.map(lambda a, b: a.at[-long:].set(b), rows, states)


def forget(memory: EncodedMemory, rows: State, lost: Bool[Array, " B"]) -> State:
    """Let those of B rows that are `lost` forget what they read, though not the time."""

    def one(lost: Array, state: State) -> State:
        return reset_where(lost, memory.memory.forgotten(state), state)

    return jax.vmap(one)(lost, rows)


def initial_carry(memory: EncodedMemory, rows: int) -> State:
    """Return the initial state of B rows, leaves [B, ...]."""
    state = memory.initial_state()
    return jax.tree.map(lambda a: jnp.broadcast_to(a, (rows, *a.shape)), state)
