"""Row orders: which steps of which stored episode each row of a batch sees next.

A row is an endless stream of steps. An order fills it with visits to stored episodes; a window is
the next R steps of the stream, so windows are packed, never padded: where one episode ends the
next begins, marked by a start flag.
"""

import abc
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

Ids = Int[np.ndarray, " N"]


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


class AbstractOrder(abc.ABC):
    """Decides what rows see, one after the other."""

    def init(self, rows: int) -> Cursor:
        """Return a cursor whose rows have no episode yet."""
        return Cursor(np.full(rows, -1, np.int64), np.zeros(rows, np.int64))

    @abc.abstractmethod
    def advance(
        self, cursor: Cursor, steps: int, ids: Ids, lengths: Ids, rng: np.random.Generator
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


class Sequential(AbstractOrder):
    """The paper's order: each row walks an episode from its start to its end, then another."""

    def _begin(
        self, fresh_row: bool, ids: Ids, lengths: Ids, rng: np.random.Generator
    ) -> tuple[int, int, int]:
        """Choose an episode; return its id, the step to begin at and its length."""
        chosen = int(rng.integers(len(ids)))
        return int(ids[chosen]), 0, int(lengths[chosen])

    def advance(
        self, cursor: Cursor, steps: int, ids: Ids, lengths: Ids, rng: np.random.Generator
    ) -> tuple[Cursor, list[Visit]]:
        """See AbstractOrder."""
        length_of = dict(zip(ids.tolist(), lengths.tolist(), strict=True))
        episodes, at = cursor.episode.copy(), cursor.step.copy()
        visits: list[Visit] = []
        for row in range(len(episodes)):
            episode, step, offset = int(episodes[row]), int(at[row]), 0
            never = episode < 0
            while offset < steps:
                fresh = episode not in length_of or step >= length_of[episode]
                if fresh:
                    episode, step, _ = self._begin(never, ids, lengths, rng)
                    never = False
                stop = min(length_of[episode], step + steps - offset)
                visits.append(Visit(row, episode, step, stop, offset, fresh))
                offset, step = offset + stop - step, stop
            episodes[row], at[row] = episode, step
        return Cursor(episodes, at), visits


class Staggered(Sequential):
    """Sequential, but each row's first episode begins at a random step.

    So one batch always holds several phases of an episode, and no run of updates sees
    beginnings only.
    """

    def _begin(
        self, fresh_row: bool, ids: Ids, lengths: Ids, rng: np.random.Generator
    ) -> tuple[int, int, int]:
        """See Sequential."""
        episode, step, length = super()._begin(fresh_row, ids, lengths, rng)
        return episode, int(rng.integers(length)) if fresh_row else step, length
