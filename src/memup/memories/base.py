"""What a memory is: state in, state out, one sequence, time first, no batch."""

import abc
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Bool, Float

from memup.core.types import Key, State


class AbstractMemory(eqx.Module):
    """A recurrent memory over input vectors.

    Attributes:
        input_size: I, floats a step.
        output_size: D, floats that the memory gives a step.
    """

    input_size: eqx.AbstractVar[int]
    output_size: eqx.AbstractVar[int]

    @abc.abstractmethod
    def initial_state(self) -> State:
        """Return the state before the first step of an episode: arrays without a batch axis."""

    @abc.abstractmethod
    def step(
        self, state: State, x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[State, Float[Array, " D"]]:
        """Read one input. Return the next state and the memory's output."""

    @abc.abstractmethod
    def unroll(
        self,
        state: State,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[State, Float[Array, "T D"]]:
        """Read T inputs; where `first`, the state becomes the initial one before the input.

        Args:
            state: the state before xs[0].
            xs: inputs.
            first: True where an input begins an episode.
            key: for stochastic memories.

        Returns:
            The state after the last input (never all T of them), and the T outputs.
        """

    def forgotten(self, state: State) -> State:
        """Return the initial state, at the time of this one if the memory is told the time."""
        return self.initial_state()


def reset_where(first: Bool[Array, ""], initial: State, state: State) -> State:
    """Take the initial state where an episode begins; by selection, so inf and NaN cannot pass."""
    return jax.tree.map(lambda a, b: jax.numpy.where(first, a, b), initial, state)


class AbstractCell(AbstractMemory):
    """A memory that is written as `step`; `unroll` is derived from it by a scan."""

    def unroll(
        self,
        state: State,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[State, Float[Array, "T D"]]:
        """Scan `step`; see AbstractMemory."""
        keys = None if key is None else jax.random.split(key, first.shape[0])

        def body(state: State, now: Any) -> tuple[State, Array]:
            x, first_t, key_t = now
            return self.step(reset_where(first_t, self.initial_state(), state), x, key=key_t)

        return jax.lax.scan(body, state, (xs, first, keys))


class AbstractParallel(AbstractMemory):
    """A memory that is written as `unroll`; `step` is derived from it, as a sequence of one."""

    def step(
        self, state: State, x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[State, Float[Array, " D"]]:
        """Unroll over one input; see AbstractMemory."""
        state, ys = self.unroll(state, x[None], jax.numpy.zeros(1, bool), key=key)
        return state, ys[0]
