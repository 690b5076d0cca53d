"""The order `jump`: a row carries its state through few windows of a long episode.

Walking an episode of 20,000 steps in windows of 20 takes 1,000 updates, all on the same episodes;
its beginning is seen in one of them. A row that jumps sees the first window and a few others, in
the order of time, and then takes a new episode. The state is carried from window to window as if
nothing lay between: learning what to write takes young states, and the gradient of MemUP never
reached across windows anyway. It needs no pass over whole episodes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from memup.data.orders import AbstractOrder, Ids, Visit
from memup.errors import require


class JumpCursor(NamedTuple):
    """Where every row stands.

    Attributes:
        episode: absolute id of the row's episode, [B]; -1 before the first.
        starts: first steps of the windows it visits, ascending, [B, V].
        done: how many of them it has visited, [B].
    """

    episode: Int[np.ndarray, " B"]
    starts: Int[np.ndarray, "B V"]
    done: Int[np.ndarray, " B"]


class Jump(AbstractOrder):
    """Visits the first window of an episode, some around rare observations, and some at random.

    Of the V-1 windows after the first, half (rounded up) hold a rare step; all are visited in the
    order of time.

    Args:
        window: R, steps of a window.
        visits: V, windows of an episode.
        rare: episode id -> its rare steps, and with what probability to visit each.
    """

    def __init__(
        self,
        window: int,
        visits: int,
        rare: Callable[[int], tuple[np.ndarray, np.ndarray]],
    ):
        self.window, self.visits, self.rare = window, visits, rare

    def init(self, rows: int) -> JumpCursor:  # type: ignore[override]
        """See AbstractOrder."""
        none = np.full(rows, -1, np.int64)
        starts = np.zeros((rows, self.visits), np.int64)
        return JumpCursor(none, starts, np.full(rows, self.visits))

    def advance(  # type: ignore[override]
        self, cursor: JumpCursor, steps: int, ids: Ids, lengths: Ids, rng: np.random.Generator
    ) -> tuple[JumpCursor, list[Visit]]:
        """See AbstractOrder; `steps` is a multiple of R.

        Raises:
            MemupError: an episode is shorter than a window.
        """
        shortest = int(lengths.min())
        require(
            shortest >= self.window,
            f"order 'jump': an episode has {shortest} steps, expected at least "
            f"method.window={self.window}; the orders 'sequential' and 'staggered' take it",
        )
        episode, starts, done = (a.copy() for a in cursor)
        live = set(ids.tolist())
        visits: list[Visit] = []
        for row in range(len(episode)):
            # First steps of windows that begin anew: an evicted episode is left at once.
            for offset in range(0, steps, self.window):
                fresh = done[row] >= self.visits or int(episode[row]) not in live
                if fresh:
                    chosen = int(rng.integers(len(ids)))
                    episode[row], done[row] = ids[chosen], 0
                    starts[row] = self._choose(int(ids[chosen]), int(lengths[chosen]), rng)
                start = int(starts[row, done[row]])
                stop = start + self.window
                visits.append(Visit(row, int(episode[row]), start, stop, offset, fresh))
                done[row] += 1
        return JumpCursor(episode, starts, done), visits

    def _choose(self, episode: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, " V"]:
        """Draw the first steps of V windows, ascending; they may overlap."""
        last, later = length - self.window, self.visits - 1
        steps, probability = self.rare(episode)
        rare = rng.choice(steps, size=-(-later // 2), p=probability)
        # The rare step may stand anywhere in its window.
        rare = rare - rng.integers(self.window, size=len(rare))
        others = rng.integers(last + 1, size=later // 2)
        starts = np.concatenate([[0], rare, others])
        return np.sort(np.clip(starts, 0, last))
