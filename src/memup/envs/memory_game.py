"""The memory game (concentration): find pairs among cards that lie face down."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Int8

from memup.core.errors import require
from memup.core.spaces import Dict, Discrete
from memup.core.types import Key, Observation, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow

REWARD_PAIR, REWARD_FLIP = 2.0, -1.0


class MemoryGameState(NamedTuple):
    """Where the game stands.

    Attributes:
        time: flips so far, without the free one, int32.
        last: the card that was flipped last, int32.
        symbols: what each card shows, int8 [N]; each of 0..N/2-1 twice.
        flipped: True for cards that were seen, [N].
        removed: True for cards whose pair was found, [N].
    """

    time: Int[Array, ""]
    last: Int[Array, ""]
    symbols: Int8[Array, " N"]
    flipped: Bool[Array, " N"]
    removed: Bool[Array, " N"]


class MemoryGame(AbstractEnv):
    """The one-player memory game of the Prague course on reinforcement learning (ufal/npfl122).

    N cards lie face down, two of each of N/2 symbols, shuffled. Observation: `card`, the one that
    was flipped last (0..N-1), and the `symbol` on it (0..N/2-1). The game begins with card 0
    flipped. Action a < N flips card a; action N flips the lowest card that was never flipped (card
    N-1 if there is none). Flipping the two cards of a pair one right after the other removes them
    and pays +2; every other flip, that of a removed card too, pays -1. The episode ends when all
    cards are removed, or after 2N flips; as they count and no others, it ends for good
    (terminated), where the course calls it a time limit.

    Who remembers all cards never needs more than 3N/2 flips, so returns 0 or more: success is that.
    Actions at random return about -2.9 at N = 4, -7.3 at N = 6 and -11.3 at N = 8.

    Attributes:
        cards: N, even, at least 2.
    """

    cards: int = eqx.field(static=True)

    def __check_init__(self) -> None:
        """Refuse what makes no pairs."""
        require(
            self.cards >= 2 and self.cards % 2 == 0,
            f"cards={self.cards}: expected an even number, at least 2",
        )

    @property
    def observation_space(self) -> Dict:
        """The card that was flipped last and its symbol."""
        return Dict({"card": Discrete(self.cards), "symbol": Discrete(self.cards // 2)})

    @property
    def action_space(self) -> Discrete:
        """0..N-1: flip this card; N: the lowest that was never flipped."""
        return Discrete(self.cards + 1)

    def reset(self, *, key: Key) -> tuple[MemoryGameState, TimeStep]:
        """Shuffle, and flip card 0."""
        none = jnp.zeros(self.cards, bool)
        symbols = (_shuffled(self.cards, key) // 2).astype(jnp.int8)
        zero = jnp.int32(0)
        state = MemoryGameState(zero, zero, symbols, none.at[0].set(True), none)
        return state, begin(_observe(state))

    def step(
        self, state: MemoryGameState, action: Action, *, key: Key
    ) -> tuple[MemoryGameState, TimeStep]:
        """Flip a card; remove it and the one before if they are a pair."""
        card = self._card(state, action)
        now, before = jnp.arange(self.cards) == card, jnp.arange(self.cards) == state.last
        alike = state.symbols[card] == state.symbols[state.last]
        pair = alike & (card != state.last) & ~state.removed[card]
        removed = state.removed | (pair & (now | before))
        time = state.time + 1
        after = MemoryGameState(time, card, state.symbols, state.flipped | now, removed)
        reward = jnp.where(pair, REWARD_PAIR, REWARD_FLIP)
        success = removed.all() & (time <= 3 * self.cards // 2)
        over = removed.all() | (time >= 2 * self.cards)
        return after, follow(_observe(after), reward, over, success)

    def _card(self, state: MemoryGameState, action: Action) -> Int[Array, ""]:
        """Return the card that an action flips."""
        unseen = jnp.where(state.flipped.all(), self.cards - 1, jnp.argmin(state.flipped))
        card = jnp.asarray(action, jnp.int32)
        return jnp.where(card >= self.cards, unseen.astype(jnp.int32), card)


def _observe(state: MemoryGameState) -> Observation:
    return {"card": state.last, "symbol": state.symbols[state.last].astype(jnp.int32)}


def _shuffled(n: int, key: Key) -> Int[Array, " N"]:
    """Return 0..n-1 in random order: the ranks of n random words, without a sort, which is slow."""
    word = jax.random.bits(key, (n,), jnp.uint32)
    index = jnp.arange(n)
    tie = (word[None] == word[:, None]) & (index[None] < index[:, None])
    return jnp.sum((word[None] < word[:, None]) | tie, axis=1, dtype=jnp.int32)
