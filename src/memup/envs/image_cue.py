"""A coloured square in one early frame says which action will be right many frames later."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, UInt8

from memup.core.errors import require
from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow
from memup.envs.bits import Word, draw, take

SMALLEST_SIDE = 8
# Of 255: as bright as the background may be.
NOISE = 64
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


class ImageCueState(NamedTuple):
    """Where an episode stands.

    Attributes:
        left: actions until the episode ends, int32; 1 at the question.
        cue_in: steps until the cue is shown, int32; 0 now, negative when it is over.
        right: the action that will be right, int32.
        word: the chance in the frame shown now, uint32.
    """

    left: Int[Array, ""]
    cue_in: Int[Array, ""]
    right: Int[Array, ""]
    word: Word


class ImageCue(AbstractEnv):
    """One bit to keep, seen in images.

    Frames are uint8 [S, S, 3] of dim noise; in about half of them a blue or yellow square lies at
    a random place and means nothing. In one frame, drawn uniformly from the first tenth of the
    episode, a red or a green square (a fair coin) lies at a random place: action 0 will be right
    if it is red, action 1 if it is green. At t = L-1 the lowest eighth of the frame is a white
    bar; the action there pays +1 if it is right and -1 if not, and the episode ends. Other actions
    change nothing. L actions, L + 1 observations, the last all zeros. Success is a last reward of
    +1; actions at random succeed in a half of the episodes.

    Attributes:
        length: L, at least 2.
        side: S, pixels of a frame's side, at least 8; squares are floor(S / 5) wide.
    """

    length: int = eqx.field(static=True)
    side: int = eqx.field(static=True, default=64)

    def __check_init__(self) -> None:
        """Refuse what makes no task."""
        require(self.length >= 2, f"length={self.length}: expected at least 2")
        require(
            self.side >= SMALLEST_SIDE,
            f"side={self.side}: expected at least {SMALLEST_SIDE} pixels",
        )

    @property
    def observation_space(self) -> Box:
        """A frame: rows, columns, red, green and blue."""
        return Box((self.side, self.side, 3), "uint8", 0, 255)

    @property
    def action_space(self) -> Discrete:
        """0 is right after a red square, 1 after a green one."""
        return Discrete(2)

    def reset(self, *, key: Key) -> tuple[ImageCueState, TimeStep]:
        """Draw the colour of the cue and its step."""
        right, word = take(draw(key), 2)
        cue_in, word = take(word, max(1, self.length // 10))
        state = ImageCueState(jnp.int32(self.length), cue_in, right, word)
        return state, begin(self._observe(state))

    def step(
        self, state: ImageCueState, action: Action, *, key: Key
    ) -> tuple[ImageCueState, TimeStep]:
        """Go on to the next frame; at the question, pay and end."""
        after = ImageCueState(state.left - 1, state.cue_in - 1, state.right, draw(key))
        over = after.left == 0
        hit = over & (jnp.asarray(action) == state.right)
        reward = jnp.where(over, jnp.where(hit, 1.0, -1.0), 0.0)
        return after, follow(self._observe(after), reward, over, success=hit)

    def _observe(self, state: ImageCueState) -> UInt8[Array, "S S 3"]:
        """Draw the frame: noise, a square that means nothing, the cue, the question."""
        frame, word = _noise(state.word, self.side), state.word
        shown, word = take(word, 2)
        yellow, word = take(word, 2)
        inside, word = self._square(word)
        frame = _paint(
            frame, inside & (shown == 1), jnp.where(yellow == 1, *_colours(YELLOW, BLUE))
        )
        # Taken from another word: of this one few bits are left.
        inside, _ = self._square(_mixed(state.word))
        cue = jnp.where(state.right == 0, *_colours(RED, GREEN))
        frame = _paint(frame, inside & (state.cue_in == 0), cue)
        bar = jnp.arange(self.side) >= self.side - self.side // 8
        asked = bar[:, None] & (state.left == 1) & jnp.ones((self.side, self.side), bool)
        frame = _paint(frame, asked, jnp.full(3, 255, jnp.uint8))
        return jnp.where(state.left > 0, frame, jnp.zeros_like(frame))

    def _square(self, word: Word) -> tuple[Bool[Array, "S S"], Word]:
        """Draw where a square lies; it never touches the bar."""
        width = self.side // 5
        top, word = take(word, self.side - self.side // 8 - width + 1)
        left, word = take(word, self.side - width + 1)
        at = jnp.arange(self.side)
        row, column = (at >= top) & (at < top + width), (at >= left) & (at < left + width)
        return row[:, None] & column[None, :], word


def _colours(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[Array, Array]:
    return jnp.array(one, jnp.uint8), jnp.array(other, jnp.uint8)


def _paint(frame: Array, inside: Bool[Array, "S S"], colour: UInt8[Array, "3"]) -> Array:
    return jnp.where(inside[..., None], colour[None, None], frame)


def _noise(word: Word, side: int) -> UInt8[Array, "S S 3"]:
    """Make dim noise of one random word: hashing is far cheaper than as many random numbers."""
    count = side * side * 3
    words = _mixed(
        word + jnp.arange(1, -(-count // 4) + 1, dtype=jnp.uint32) * jnp.uint32(0x9E3779B9)
    )
    shifts = jnp.array([0, 8, 16, 24], jnp.uint32)
    values = (words[:, None] >> shifts[None]) % NOISE
    return values.astype(jnp.uint8).ravel()[:count].reshape(side, side, 3)


def _mixed(word: Array) -> Array:
    """Scatter the bits of words (the last steps of MurmurHash3)."""
    word = (word ^ (word >> 16)) * jnp.uint32(0x85EBCA6B)
    word = (word ^ (word >> 13)) * jnp.uint32(0xC2B2AE35)
    return word ^ (word >> 16)
