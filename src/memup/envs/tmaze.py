"""Noisy T-Maze: one hint, a long corridor, one choice. One bit to keep over 1000s of steps."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Int8

from memup.core.errors import require, unknown_name
from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow
from memup.envs.bits import Word, draw, take, take_sign

MODES = ("L", "LR", "LN", "LNR", "LS")
CUES = ("start", "anywhere")
REWARD_RIGHT, REWARD_WRONG = 4.0, -3.0
EXTRA_LENGTHS = 11


class TMazeState(NamedTuple):
    """Where the agent is.

    Attributes:
        left: actions until the episode ends, int32; 1 at the junction.
        cue_in: steps until the hint is shown, int32; 0 now, negative when it is over.
        hint: -1 (left) or +1 (right), int8.
        noise: the noise shown now, int8.
    """

    left: Int[Array, ""]
    cue_in: Int[Array, ""]
    hint: Int8[Array, ""]
    noise: Int8[Array, ""]


class TMaze(AbstractEnv):
    """T-Maze-LNR-L of MemUP (arXiv 2207.13649), after AMRL (Beck et al., ICLR 2020).

    Observation t is int8 [hint, at_junction, noise]: the hint (-1 left, +1 right) at t = 0 only,
    at_junction = 1 at t = T-1 only, noise -1 or +1 at random at every step. The agent moves on
    whatever it does; its action at t = T-1 (0 left, 1 right) pays +4 if it is the hint's and -3
    if not, and the episode ends. The reward arrives with the observation T, which is all zeros:
    T actions, T+1 observations. A random policy earns 0.5 on average (variance 12.25), a perfect
    one 4. Success is a last reward of 4. There is no time limit and no sign of the position.

    Attributes:
        length: L, at least 1. T = L, or L + uniform{0..10} in the modes with R.
        mode: of the letters L, N (noise; without it the third number is 0), R (random length); or
            "LS": noise, and before the junction the agent moves on only if its action repeats
            the noise shown (0 for -1, 1 for +1); otherwise the same observation comes again.
        cue: "start", or "anywhere": the hint comes once, at a step drawn uniformly from the
            first half, 0 <= t < max(1, floor(T / 2)). Not in the paper.
    """

    length: int = eqx.field(static=True)
    mode: str = eqx.field(static=True, default="LNR")
    cue: str = eqx.field(static=True, default="start")

    def __check_init__(self) -> None:
        """Refuse what makes no maze."""
        require(self.length >= 1, f"length={self.length}: expected at least 1")
        if self.mode not in MODES:
            raise unknown_name("mode", self.mode, MODES)
        if self.cue not in CUES:
            raise unknown_name("cue", self.cue, CUES)

    @property
    def observation_space(self) -> Box:
        """[hint, at_junction, noise]."""
        return Box((3,), "int8", -1.0, 1.0)

    @property
    def action_space(self) -> Discrete:
        """0 left, 1 right."""
        return Discrete(2)

    def reset(self, *, key: Key) -> tuple[TMazeState, TimeStep]:
        """Draw the hint, the length and the step of the hint."""
        noise, word = self._noise(draw(key))
        hint, word = take_sign(word)
        length = jnp.int32(self.length)
        if "R" in self.mode:
            extra, word = take(word, EXTRA_LENGTHS)
            length += extra
        cue_in = jnp.int32(0)
        if self.cue == "anywhere":
            cue_in, word = take(word, jnp.maximum(length // 2, 1))
        state = TMazeState(length, cue_in, hint, noise)
        return state, begin(_observe(state))

    def step(self, state: TMazeState, action: Action, *, key: Key) -> tuple[TMazeState, TimeStep]:
        """Move on; at the junction, pay and end."""
        noise, _ = self._noise(draw(key))
        right = jnp.asarray(action) > 0
        after = TMazeState(state.left - 1, state.cue_in - 1, state.hint, noise)
        if self.mode == "LS":
            blocked = (state.left > 1) & (right != (state.noise > 0))
            after = jax.tree.map(lambda a, b: jnp.where(blocked, a, b), state, after)
        over = after.left == 0
        hit = over & (right == (state.hint > 0))
        return after, follow(_observe(after), payment(over, hit), over, success=hit)

    def _noise(self, word: Word) -> tuple[Int8[Array, ""], Word]:
        noise, word = take_sign(word)
        return (noise if self.mode in ("LN", "LNR", "LS") else jnp.int8(0)), word


def payment(at_choice: Bool[Array, ""], hit: Bool[Array, ""]) -> Array:
    """Return the reward of a choice: +4 or -3, and 0 where there was none to make."""
    return jnp.where(at_choice, jnp.where(hit, REWARD_RIGHT, REWARD_WRONG), 0.0)


def _observe(state: TMazeState) -> Int8[Array, "3"]:
    zero = jnp.int8(0)
    return jnp.stack(
        [
            jnp.where((state.cue_in == 0) & (state.left > 0), state.hint, zero),
            (state.left == 1).astype(jnp.int8),
            jnp.where(state.left > 0, state.noise, zero),
        ]
    )
