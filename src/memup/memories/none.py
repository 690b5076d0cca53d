"""No memory: the control that every memory must beat."""

from typing import final

import equinox as eqx
from jaxtyping import Array, Bool, Float

from memup.core.types import Key
from memup.memories.base import AbstractMemory


@final
class NoMemory(AbstractMemory):
    """m_t = x_t. The state is an empty tuple, so nothing is carried, stored or saved.

    Args:
        input_size: I, floats a step; also the output size.
        key: not used; memories are all made in the same way.
    """

    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(self, input_size: int, *, key: Key | None = None):
        self.input_size = self.output_size = input_size

    def initial_state(self) -> tuple[()]:
        """Return the empty state."""
        return ()

    def step(
        self, state: tuple[()], x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[tuple[()], Float[Array, " I"]]:
        """Give the input back."""
        return state, x

    def unroll(
        self,
        state: tuple[()],
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[tuple[()], Float[Array, "T I"]]:
        """Give the inputs back."""
        return state, xs
