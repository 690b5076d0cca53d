"""A memory that reads some of the steps and stands still at the others.

Whatever a cell does to its state at a step where nothing happens, it does a million times in a
long episode. A memory that is not written there holds exactly, however long it takes.
"""

from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.types import Key
from memup.memories.base import AbstractCell, AbstractMemory, reset_where

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

    def unroll(
        self,
        state: EventState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[EventState, Float[Array, "T D"]]:
        """Read T inputs; where no gradient is asked for, in time of the events alone."""
        if key is not None:
            return super().unroll(state, xs, first, key=key)
        return _unroll(self, state, xs, first)


@eqx.filter_custom_jvp
def _unroll(
    memory: EventMemory, state: EventState, xs: Float[Array, "T I"], first: Bool[Array, " T"]
) -> tuple[EventState, Float[Array, "T D"]]:
    """Step from event to event. A loop of so many steps as there are has no gradient."""
    length = len(first)
    # A beginning changes the state too, event or not.
    changes = (xs[:, 0] > 0) | first
    order = jnp.nonzero(changes, size=length, fill_value=0)[0]
    given = jnp.zeros((length + 1, memory.output_size), state[1].dtype).at[0].set(state[1])

    def body(now: tuple[Array, EventState, Array]) -> tuple[Array, EventState, Array]:
        done, state, given = now
        t = order[done]
        state = reset_where(first[t], memory.initial_state(), state)
        state, y = memory.step(state, xs[t])
        return done + 1, state, given.at[done + 1].set(y)

    count = changes.sum()
    begin = jnp.zeros((), count.dtype), state, given
    _, state, given = jax.lax.while_loop(lambda now: now[0] < count, body, begin)
    return state, given[jnp.cumsum(changes)]


@_unroll.def_jvp
def _unroll_every_step(primals: tuple, tangents: tuple) -> tuple:
    """Differentiate the scan over every step instead; `vmap` sums its gradient over the rows."""
    return eqx.filter_jvp(AbstractCell.unroll, primals, tangents)
