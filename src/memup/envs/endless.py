"""Endless T-Maze: corridor after corridor, so the memory must also be rewritten."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Int, Int8

from memup.core.errors import require
from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow
from memup.envs.bits import draw, take_sign
from memup.envs.tmaze import payment


class EndlessState(NamedTuple):
    """Where the agent is.

    Attributes:
        left: actions until the junction of this corridor is answered, int32; 1 at the junction.
        junctions: junctions not yet answered, int32.
        right: junctions answered right, int32.
        hint: the latest hint, -1 (left) or +1 (right), int8.
        noise: the noise shown now, int8.
    """

    left: Int[Array, ""]
    junctions: Int[Array, ""]
    right: Int[Array, ""]
    hint: Int8[Array, ""]
    noise: Int8[Array, ""]


class EndlessTMaze(AbstractEnv):
    """N T-Mazes in a row, after the Endless T-Maze of arXiv 2601.15086.

    A corridor has C steps. Observation int8 [hint, at_junction, noise]: a fresh hint (-1 left, +1
    right, a fair coin each) at the first step of every corridor, at_junction = 1 at its last
    step, noise -1 or +1 at every step. The action at the junction (0 left, 1 right) pays +4 if
    it is the latest hint's and -3 if not. That reward arrives with the next observation, which
    begins the next corridor with its hint; after the last junction it is the terminal one, all
    zeros. N C actions, N C + 1 observations; a perfect policy earns 4 N, a random one N / 2.
    Success is the share of junctions answered right, so far.

    Attributes:
        junctions: N, at least 1.
        corridor: C, at least 1.
    """

    junctions: int = eqx.field(static=True)
    corridor: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        """Refuse what makes no maze."""
        require(self.junctions >= 1, f"junctions={self.junctions}: expected at least 1")
        require(self.corridor >= 1, f"corridor={self.corridor}: expected at least 1")

    @property
    def observation_space(self) -> Box:
        """[hint, at_junction, noise]."""
        return Box((3,), "int8", -1.0, 1.0)

    @property
    def action_space(self) -> Discrete:
        """0 left, 1 right."""
        return Discrete(2)

    def reset(self, *, key: Key) -> tuple[EndlessState, TimeStep]:
        """Begin the first corridor."""
        noise, word = take_sign(draw(key))
        hint, _ = take_sign(word)
        count = jnp.int32(self.junctions)
        state = EndlessState(jnp.int32(self.corridor), count, jnp.int32(0), hint, noise)
        return state, begin(self._observe(state))

    def step(
        self, state: EndlessState, action: Action, *, key: Key
    ) -> tuple[EndlessState, TimeStep]:
        """Move on; after a junction, pay and begin the next corridor."""
        noise, word = take_sign(draw(key))
        hint, _ = take_sign(word)
        at_junction = state.left == 1
        hit = at_junction & ((jnp.asarray(action) > 0) == (state.hint > 0))
        after = EndlessState(
            left=jnp.where(at_junction, self.corridor, state.left - 1),
            junctions=state.junctions - at_junction.astype(jnp.int32),
            right=state.right + hit.astype(jnp.int32),
            hint=jnp.where(at_junction, hint, state.hint),
            noise=noise,
        )
        share = after.right / self.junctions
        over = after.junctions == 0
        return after, follow(self._observe(after), payment(at_junction, hit), over, success=share)

    def _observe(self, state: EndlessState) -> Int8[Array, "3"]:
        zero = jnp.int8(0)
        alive = state.junctions > 0
        return jnp.stack(
            [
                jnp.where(alive & (state.left == self.corridor), state.hint, zero),
                (alive & (state.left == 1)).astype(jnp.int8),
                jnp.where(alive, state.noise, zero),
            ]
        )
