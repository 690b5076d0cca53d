"""A memory that is told the time: what happened when need not be counted.

A gradient that reaches r steps back teaches no clock that runs for thousands. Where the meaning of
an input depends on its place, as that of a pixel does, the memory reads the place beside it.
"""

import math
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from memup.core.errors import require
from memup.core.types import Key
from memup.memories.base import AbstractMemory

LONGEST = 10_000.0


def clock_code(time: Int[Array, " T"], size: int) -> Float[Array, "T S"]:
    """Return sines and cosines of the time (Vaswani et al. 2017, section 3.5).

    Args:
        time: in steps.
        size: S, even; the rates fall from 1 radian a step to nearly 1/10,000.
    """
    rates = jnp.exp(-math.log(LONGEST) * jnp.arange(size // 2) / (size // 2))
    angle = time[:, None] * rates[None]
    return jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], axis=1)


@final
class ClockedMemory(AbstractMemory):
    """A memory whose input is joined by the code of how many steps were read before it.

    Where steps of an episode are skipped, they are not counted.

    Args:
        inner: what reads; its inputs are those of this memory and the code's numbers.
        size: numbers of the code, even.

    Raises:
        MemupError: the size is odd.
    """

    inner: AbstractMemory
    size: int = eqx.field(static=True)
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(self, inner: AbstractMemory, size: int):
        require(size % 2 == 0, f"method.clock={size}: expected an even number, for sines, cosines")
        self.inner, self.size = inner, size
        self.input_size, self.output_size = inner.input_size - size, inner.output_size

    def initial_state(self) -> tuple[Int[Array, ""], Any]:
        """Return time 0, and the inner memory's state."""
        return jnp.zeros((), jnp.int32), self.inner.initial_state()

    def step(
        self, state: tuple[Int[Array, ""], Any], x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[tuple[Int[Array, ""], Any], Float[Array, " D"]]:
        """Read one input; see AbstractMemory."""
        time, inner = state
        both = jnp.concatenate([x, clock_code(time[None], self.size)[0]])
        inner, y = self.inner.step(inner, both, key=key)
        return (time + 1, inner), y

    def forgotten(self, state: tuple[Int[Array, ""], Any]) -> tuple[Int[Array, ""], Any]:
        """Keep the time; see AbstractMemory."""
        return state[0], self.inner.forgotten(state[1])

    def unroll(
        self,
        state: tuple[Int[Array, ""], Any],
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[tuple[Int[Array, ""], Any], Float[Array, "T D"]]:
        """Read T inputs; see AbstractMemory."""
        time, inner = state
        step = jnp.arange(len(first), dtype=jnp.int32)
        now = step - jax.lax.cummax(jnp.where(first, step, -time))
        both = jnp.concatenate([xs, clock_code(now, self.size)], axis=1)
        inner, ys = self.inner.unroll(inner, both, first, key=key)
        return (now[-1] + 1, inner), ys
