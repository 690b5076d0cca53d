"""T-Maze with several hints and several junctions: more than one bit to keep."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Int8

from memup.core.errors import require
from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow
from memup.envs.bits import Word, draw, take, take_sign
from memup.envs.tmaze import EXTRA_LENGTHS, payment

MOST_HINTS = 16


class HintsState(NamedTuple):
    """Where the agent is.

    Attributes:
        time: t, int32.
        length: T, actions of this episode, int32.
        to_come: hints after this step, int32.
        shown: True if a hint is shown at this step.
        right: junctions answered right, int32.
        hints: -1 (left) or +1 (right), int8 [n].
        noise: the noise shown now, int8.
    """

    time: Int[Array, ""]
    length: Int[Array, ""]
    to_come: Int[Array, ""]
    shown: Bool[Array, ""]
    right: Int[Array, ""]
    hints: Int8[Array, " n"]
    noise: Int8[Array, ""]


class TMazeHints(AbstractEnv):
    """A T-Maze with n hints on the way and n junctions, each answered by its own hint.

    The i-th hint (-1 left, +1 right, a fair coin each) is shown once, at the i-th of n distinct
    steps drawn uniformly from the first half, t < floor(T / 2). The i-th junction stands at
    T - 1 - (n - i) floor(floor(T / 2) / n): all of them in the second half, the last one at the
    end. Observation int8 [hint 1..n, at junction 1..n, noise]: a hint in its own place at its
    step, else 0; 1 in a junction's place at its step, else 0; noise -1 or +1 at every step. The
    action at a junction (0 left, 1 right) pays +4 if it is its hint's and -3 if not, with the next
    observation; elsewhere it changes nothing. T actions, T + 1 observations, the last all zeros.
    Success is the share of junctions answered right, so far. Not in the paper.

    Attributes:
        hints: n, 1 to 16.
        length: L, at least 2 n; T = L + uniform{0..10}.
    """

    hints: int = eqx.field(static=True)
    length: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        """Refuse what makes no maze."""
        require(1 <= self.hints <= MOST_HINTS, f"hints={self.hints}: expected 1 to {MOST_HINTS}")
        least = 2 * self.hints
        require(
            self.length >= least,
            f"length={self.length}: expected at least 2 hints, which is {least}",
        )

    @property
    def observation_space(self) -> Box:
        """[hint 1..n, at junction 1..n, noise]."""
        return Box((2 * self.hints + 1,), "int8", -1.0, 1.0)

    @property
    def action_space(self) -> Discrete:
        """0 left, 1 right."""
        return Discrete(2)

    def reset(self, *, key: Key) -> tuple[HintsState, TimeStep]:
        """Draw the hints and the length; their steps are drawn on the way."""
        noise, word = take_sign(draw(key))
        extra, word = take(word, EXTRA_LENGTHS)
        hints = []
        for _ in range(self.hints):
            hint, word = take_sign(word)
            hints.append(hint)
        zero, length = jnp.int32(0), self.length + extra
        shown = self._shows(zero, length, jnp.int32(self.hints), word)
        to_come = self.hints - shown.astype(jnp.int32)
        state = HintsState(zero, length, to_come, shown, zero, jnp.stack(hints), noise)
        return state, begin(self._observe(state))

    def step(self, state: HintsState, action: Action, *, key: Key) -> tuple[HintsState, TimeStep]:
        """Pay for the junction the agent stood at, if any, and move on."""
        noise, word = take_sign(draw(key))
        junction = self._junctions(state)
        asked = jnp.sum(jnp.where(junction, state.hints, jnp.int8(0)))
        at_junction = junction.any()
        hit = at_junction & ((jnp.asarray(action) > 0) == (asked > 0))
        time, right = state.time + 1, state.right + hit.astype(jnp.int32)
        shown = self._shows(time, state.length, state.to_come, word)
        to_come = state.to_come - shown.astype(jnp.int32)
        after = HintsState(time, state.length, to_come, shown, right, state.hints, noise)
        share = right / self.hints
        over = time == state.length
        return after, follow(self._observe(after), payment(at_junction, hit), over, success=share)

    def _shows(
        self, time: Int[Array, ""], length: Int[Array, ""], to_come: Int[Array, ""], word: Word
    ) -> Bool[Array, ""]:
        """Say whether a step shows a hint, with probability to_come / places left.

        So every set of n places has the same probability (selection sampling, Knuth, TAOCP
        vol. 2, 3.4.2, algorithm S).
        """
        places = length // 2 - time
        return (places > 0) & (take(word, jnp.maximum(places, 1))[0] < to_come)

    def _junctions(self, state: HintsState) -> Bool[Array, " n"]:
        """Say at which junction the agent stands, if at any."""
        gap = state.length // 2 // self.hints
        back = jnp.arange(self.hints - 1, -1, -1)
        return state.time == state.length - 1 - back * gap

    def _observe(self, state: HintsState) -> Int8[Array, " S"]:
        now = jnp.arange(self.hints) == self.hints - 1 - state.to_come
        hint = jnp.where(now & state.shown, state.hints, jnp.int8(0))
        noise = jnp.where(state.time < state.length, state.noise, jnp.int8(0))
        junction = self._junctions(state).astype(jnp.int8)
        return jnp.concatenate([hint, junction, noise[None]])
