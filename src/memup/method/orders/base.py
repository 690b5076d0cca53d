"""Row orders: which steps of which stored episode each row of a batch sees next.

A row is an endless stream of steps. An order fills it with visits to stored episodes; a window is
the next R steps of the stream, so windows are packed, never padded: where one episode ends the
next begins, marked by a start flag. One file a choice; `memup.method.orders.table` names them.
"""

import abc
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

Ids = Int[np.ndarray, " N"]
# Episode id -> its rare steps, and with what probability to visit each.
Rare = Callable[[int], tuple[np.ndarray, np.ndarray]]

HELD_OUT_STEPS = 200_000
HELD_OUT_WINDOW = 100
HELD_OUT_QUERIES = 2000


class OrderParts(NamedTuple):
    """What a run gives to any order.

    Attributes:
        window: R, steps of a window.
        updates: updates that there will be at most.
        burn_in: steps before a window that there is room to read, at most.
        rarity: how many steps of an episode count as rare -> what finds them.
        lengths: tells the steps of every stored episode.
        growing: whether episodes are still to come.
        facts: what was measured or decided once, plain JSON.
    """

    window: int
    updates: int
    burn_in: int
    rarity: Callable[[int], Rare]
    lengths: Callable[[], Int[np.ndarray, " N"]]
    growing: bool
    facts: dict[str, Any]


class Visit(NamedTuple):
    """A stretch of one episode in one row.

    Attributes:
        row: which row.
        episode: absolute id of the episode.
        start: first step of the stretch.
        stop: one past its last step.
        offset: where the stretch begins in the row's stream of this call.
        fresh: True if the row's memory starts anew here.
        gap: how many of the steps just before it the row reads too, without learning.
    """

    row: int
    episode: int
    start: int
    stop: int
    offset: int
    fresh: bool
    gap: int = 0


class Cursor(NamedTuple):
    """Where every row stands, [B] each; a row whose `episode` is -1 takes a new one.

    Attributes:
        episode: absolute id of the row's episode.
        step: the next step of it.
    """

    episode: Int[np.ndarray, " B"]
    step: Int[np.ndarray, " B"]


class HeldOut(NamedTuple):
    """What a model is judged on.

    Attributes:
        visits: stretches of held-out episodes.
        rows: how many rows they are in.
        window: steps of a window.
        count: windows of a row.
        stride: steps between two queries, at least.
    """

    visits: list[Visit]
    rows: int
    window: int
    count: int
    stride: int


class AbstractOrder(abc.ABC):
    """Decides what rows see, one after the other.

    Attributes:
        burn_in: steps before a window, at most, that long rows read of what lies between two.
        long_rows: share of the rows, the last ones, that live long.
    """

    burn_in: int = 0
    long_rows: float = 0.0

    @classmethod
    def make(cls, parts: OrderParts) -> Any:
        """Make it of what a run has; its options in the table follow by keyword."""
        return cls()

    def init(self, rows: int) -> Any:
        """Return a cursor whose rows have no episode yet."""
        return Cursor(np.full(rows, -1, np.int64), np.zeros(rows, np.int64))

    @abc.abstractmethod
    def advance(
        self, cursor: Any, steps: int, ids: Ids, lengths: Ids, *, rng: np.random.Generator
    ) -> tuple[Cursor, list[Visit]]:
        """Fill `steps` steps of every row.

        Args:
            cursor: where the rows stand.
            steps: how many steps each row takes.
            ids: episodes to choose from, ascending absolute ids.
            lengths: their lengths in steps.
            rng: source of every choice.

        Returns:
            The cursor afterwards, and the visits, row by row in the order of time.
        """

    def held_out(self, ids: Ids, lengths: Ids, *, window: int, rng: np.random.Generator) -> HeldOut:
        """Return what to judge a model on: here some whole episodes, from start to end.

        Args:
            ids: held-out episodes.
            lengths: their steps.
            window: R of the windows in training.
            rng: source of every choice.
        """
        count = int(np.clip(HELD_OUT_STEPS // lengths.mean(), 16, 64))
        return whole(ids[:count], lengths[:count], window)

    def warming_up(self, cursor: Any) -> bool:
        """Say whether rows are not yet of the kind that a model is judged by."""
        return False


def whole(ids: Ids, lengths: Ids, window: int) -> HeldOut:
    """Walk whole episodes, one a row, in windows of about a hundred steps."""
    # Asked where training asks: at other places in a window the memory was taught nothing.
    window *= max(1, HELD_OUT_WINDOW // window)
    spans = enumerate(zip(ids, lengths, strict=True))
    visits = [Visit(row, int(i), 0, int(n), 0, True) for row, (i, n) in spans]
    longest = int(lengths.max())
    return HeldOut(visits, len(ids), window, -(-longest // window), longest // HELD_OUT_QUERIES)
