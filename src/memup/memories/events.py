"""A memory that reads some of the steps and stands still at the others.

Whatever a cell does to its state at a step where nothing happens, it does a million times in a
long episode. A memory that is not written there holds exactly, however long it takes.
"""

from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.memories.base import AbstractCell, AbstractMemory
from memup.types import Key

EventState = tuple[Any, Float[Array, " D"]]


@final
class EventMemory(AbstractCell):
    """A memory whose first input says whether it reads the others: above 0 it does.

    Where it does not, its state and what it gives stay as they are, and the gradient passes
    unchanged; before it has read anything it gives zeros.

    Args:
        inner: what reads the other inputs.
    """

    inner: AbstractMemory
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(self, inner: AbstractMemory):
        self.inner = inner
        self.input_size, self.output_size = inner.input_size + 1, inner.output_size

    def initial_state(self) -> EventState:
        """Return the inner memory's state, and zeros for what it gave last."""
        return self.inner.initial_state(), jnp.zeros(self.output_size)

    def step(
        self, state: EventState, x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[EventState, Float[Array, " D"]]:
        """Read one input, or leave it; see AbstractMemory."""
        read = self.inner.step(state[0], x[1:], key=key)
        state = jax.tree.map(lambda new, old: jnp.where(x[0] > 0, new, old), read, state)
        return state, state[1]
