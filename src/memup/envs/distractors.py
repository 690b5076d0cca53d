"""T-Maze with distractor rewards: surprises that no memory can explain."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Int8

from memup.core.errors import require, unknown_name
from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow
from memup.envs.bits import Word, draw, take, take_sign
from memup.envs.tmaze import EXTRA_LENGTHS, payment

MODES = ("L", "LR", "LN", "LNR")
EMPTY_STEPS = 5


class DistractorsState(NamedTuple):
    """Where the agent is.

    Attributes:
        time: t, int32.
        left: actions until the episode ends, int32; 1 at the junction.
        to_come: distractors after this step, int32.
        signalled: True if this step is a distractor.
        hint: -1 (left) or +1 (right), int8.
        noise: the noise shown now, int8.
    """

    time: Int[Array, ""]
    left: Int[Array, ""]
    to_come: Int[Array, ""]
    signalled: Bool[Array, ""]
    hint: Int8[Array, ""]
    noise: Int8[Array, ""]


class TMazeDistractors(AbstractEnv):
    """The T-Maze of `TMaze`, with n steps on the way that pay +4 or -3 by a fair coin.

    The distractors are n distinct steps drawn uniformly from 5 <= t <= T-2. The second number of
    the observation, float32 [hint, signal, noise], announces them: i / (n+1) at the i-th one
    (i = 1..n), 1 at the junction, else 0. The action taken at a distractor changes nothing; its
    reward arrives with the next observation, as the junction's does. The junction at t = T-1 is
    the true choice (`fixed_choice_step` of the authors' code): +4 for the hint's side, else -3.
    Success is a last reward of 4. The random rewards are the authors' test for surprise that
    cannot be reduced: a selector by realised error keeps choosing them.

    Attributes:
        distractors: n, from 1 to length - 6.
        length: L; T = L, or L + uniform{0..10} in the modes with R.
        mode: of the letters L, N (noise), R (random length); there is no LS.
        scale: the distractor rewards are multiplied by it (not in the paper; 1 there).
    """

    distractors: int = eqx.field(static=True)
    length: int = eqx.field(static=True)
    mode: str = eqx.field(static=True, default="LNR")
    scale: float = eqx.field(static=True, default=1.0)

    def __check_init__(self) -> None:
        """Refuse what makes no maze."""
        if self.mode not in MODES:
            raise unknown_name("mode", self.mode, MODES)
        room = self.length - EMPTY_STEPS - 1
        require(
            1 <= self.distractors <= room,
            f"distractors={self.distractors}: expected 1 to length - 6, which is {room}",
        )

    @property
    def observation_space(self) -> Box:
        """[hint, signal, noise]."""
        return Box((3,), "float32", -1.0, 1.0)

    @property
    def action_space(self) -> Discrete:
        """0 left, 1 right."""
        return Discrete(2)

    def reset(self, *, key: Key) -> tuple[DistractorsState, TimeStep]:
        """Draw the hint and the length; the distractors are drawn on the way."""
        noise, word = self._noise(draw(key))
        hint, word = take_sign(word)
        length = jnp.int32(self.length)
        if "R" in self.mode:
            length += take(word, EXTRA_LENGTHS)[0]
        no = jnp.zeros((), bool)
        state = DistractorsState(jnp.int32(0), length, jnp.int32(self.distractors), no, hint, noise)
        return state, begin(self._observe(state))

    def step(
        self, state: DistractorsState, action: Action, *, key: Key
    ) -> tuple[DistractorsState, TimeStep]:
        """Pay for the step the agent stood at, and move on."""
        noise, word = self._noise(draw(key))
        coin, word = take_sign(word)
        after = _advance(state, noise, word)
        over = after.left == 0
        hit = over & ((jnp.asarray(action) > 0) == (state.hint > 0))
        reward = payment(over, hit) + self.scale * payment(state.signalled, coin > 0)
        return after, follow(self._observe(after), reward, over, success=hit)

    def _noise(self, word: Word) -> tuple[Int8[Array, ""], Word]:
        noise, word = take_sign(word)
        return (noise if "N" in self.mode else jnp.int8(0)), word

    def _observe(self, state: DistractorsState) -> Float[Array, "3"]:
        order = self.distractors - state.to_come
        signal = jnp.where(state.signalled, order / (self.distractors + 1), 0.0)
        hint = jnp.where(state.time == 0, state.hint, jnp.int8(0))
        noise = jnp.where(state.left > 0, state.noise, jnp.int8(0))
        signal = jnp.where(state.left == 1, 1.0, signal)
        return jnp.stack([hint.astype(jnp.float32), signal, noise.astype(jnp.float32)])


def _advance(state: DistractorsState, noise: Int8[Array, ""], word: Word) -> DistractorsState:
    """Go to the next step; make it a distractor with probability to_come / places left.

    Taken step by step this draws every set of n places with the same probability (selection
    sampling, Knuth, TAOCP vol. 2, 3.4.2, algorithm S) and needs no list of places.
    """
    time, left = state.time + 1, state.left - 1
    places = jnp.maximum(left - 1, 1)
    signalled = (time >= EMPTY_STEPS) & (left >= 2) & (take(word, places)[0] < state.to_come)
    to_come = state.to_come - signalled.astype(jnp.int32)
    return DistractorsState(time, left, to_come, signalled, state.hint, noise)
