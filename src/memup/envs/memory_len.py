"""Memory length: a hint, a wait of known length, a choice."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Int8

from memup.core.errors import require
from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow
from memup.envs.bits import draw, take_sign


class MemoryLenState(NamedTuple):
    """Where the agent is.

    Attributes:
        time: t, int32.
        hint: -1 (left) or +1 (right), int8.
    """

    time: Int[Array, ""]
    hint: Int8[Array, ""]


class MemoryLen(AbstractEnv):
    """The memory-len-L of MemUP's authors (arXiv 2207.13649): L steps, the last action counts.

    Observation t is float32 [hint, t / (L-1), 0]: the hint (-1 left, +1 right) at t = 0 only, and
    a time mark that reaches 1 at the choice (0 throughout for L = 1). The action at t = L-1 (0
    left, 1 right) pays +1 if it is the hint's, else -1, and the episode ends; the terminal
    observation is all zeros. Success is a last reward of 1.

    Attributes:
        length: L, at least 1.
    """

    length: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        """Refuse what makes no episode."""
        require(self.length >= 1, f"length={self.length}: expected at least 1")

    @property
    def observation_space(self) -> Box:
        """[hint, time mark, 0]."""
        return Box((3,), "float32", -1.0, 1.0)

    @property
    def action_space(self) -> Discrete:
        """0 left, 1 right."""
        return Discrete(2)

    def reset(self, *, key: Key) -> tuple[MemoryLenState, TimeStep]:
        """Draw the hint."""
        state = MemoryLenState(jnp.int32(0), take_sign(draw(key))[0])
        return state, begin(self._observe(state))

    def step(
        self, state: MemoryLenState, action: Action, *, key: Key
    ) -> tuple[MemoryLenState, TimeStep]:
        """Wait; at the last step, pay and end."""
        after = MemoryLenState(state.time + 1, state.hint)
        over = after.time >= self.length
        hit = over & ((jnp.asarray(action) > 0) == (state.hint > 0))
        reward = jnp.where(over, jnp.where(hit, 1.0, -1.0), 0.0)
        return after, follow(self._observe(after), reward, over, success=hit)

    def _observe(self, state: MemoryLenState) -> Float[Array, "3"]:
        hint = jnp.where(state.time == 0, state.hint, jnp.int8(0)).astype(jnp.float32)
        mark = jnp.where(state.time < self.length, state.time / max(self.length - 1, 1), 0.0)
        return jnp.stack([hint, mark, jnp.zeros_like(mark)])
