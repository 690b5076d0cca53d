"""Repeat several symbols at once after a long time: the cheap check of actions of several parts."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from memup.core.errors import require
from memup.core.spaces import MultiDiscrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow


class RecallState(NamedTuple):
    """What was shown.

    Attributes:
        time: actions so far, int32.
        cue: the symbols, int32 [parts].
    """

    time: Int[Array, ""]
    cue: Int[Array, " N"]


class RecallMulti(AbstractEnv):
    """A cue of several symbols, noise for L steps, then one action that repeats the whole cue.

    Observation MultiDiscrete [kind, symbols]: kind 0 shows the cue (the first step), 1 shows noise
    (L steps of random symbols), 2 asks (the symbols are 0). The action is MultiDiscrete, a symbol
    for every part; where it is asked for, it pays the share of parts that are right, elsewhere
    nothing. The observation after the answer ends the episode; L + 2 actions. Success is the share
    of parts that are right. A random policy returns 1 / symbols.

    Attributes:
        length: L, steps of noise.
        parts: symbols in a cue.
        symbols: values of each.
    """

    length: int = eqx.field(static=True)
    parts: int = eqx.field(static=True, default=3)
    symbols: int = eqx.field(static=True, default=4)

    def __check_init__(self) -> None:
        """Refuse what asks for nothing."""
        for name in ("length", "parts", "symbols"):
            value = getattr(self, name)
            require(value >= 1, f"{name}={value}: expected at least 1")

    @property
    def observation_space(self) -> MultiDiscrete:
        """[kind, symbols]."""
        return MultiDiscrete((3,) + (self.symbols,) * self.parts)

    @property
    def action_space(self) -> MultiDiscrete:
        """A symbol for every part."""
        return MultiDiscrete((self.symbols,) * self.parts)

    def _draw(self, key: Key) -> Int[Array, " N"]:
        return jax.random.randint(key, (self.parts,), 0, self.symbols, jnp.int32)

    def reset(self, *, key: Key) -> tuple[RecallState, TimeStep]:
        """Show the cue."""
        state = RecallState(jnp.int32(0), self._draw(key))
        return state, begin(_show(0, state.cue))

    def step(self, state: RecallState, action: Action, *, key: Key) -> tuple[RecallState, TimeStep]:
        """Show noise, ask, or pay the answer."""
        after = RecallState(state.time + 1, state.cue)
        over = after.time > self.length + 1
        asks = after.time == self.length + 1
        right = jnp.mean((jnp.asarray(action) == state.cue).astype(jnp.float32))
        share = jnp.where(over, right, 0.0)
        kind = jnp.where(asks | over, 2, 1)
        symbols = jnp.where(asks | over, 0, self._draw(key))
        return after, follow(_show(kind, symbols), share, over, share)


def _show(kind: int | Int[Array, ""], symbols: Int[Array, " N"]) -> Int[Array, " M"]:
    return jnp.concatenate([jnp.full((1,), kind, jnp.int32), symbols])
