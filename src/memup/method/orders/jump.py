"""The order `jump`: a row carries its state through few windows of a long episode.

Walking an episode of 20,000 steps in windows of 20 takes 1,000 updates, all on the same episodes;
its beginning is seen in one of them. A row that jumps sees the first window and a few others, in
the order of time, and then takes a new episode. The state is carried from window to window as if
nothing lay between: the gradient of MemUP never reached across windows anyway. It needs no pass
over whole episodes. A window need not be one stretch either: put together from segments, it holds
many rare steps, and the gradient passes through all of them, wherever they lie.

Young states teach a memory to write, old ones to hold: a memory must be trained at the age at
which it is used. So some rows live long: they visit many windows before they take a new episode.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from memup.core.errors import require
from memup.method.orders.base import AbstractOrder, HeldOut, Ids, OrderParts, Rare, Visit

# Where held-out episodes are longer on average, judging jumps too.
LONG = 50_000
HELD_OUT_ROWS = 64
HELD_OUT_VISITS = 100


class JumpCursor(NamedTuple):
    """Where every row stands.

    Attributes:
        episode: absolute id of the row's episode, [B]; -1 before the first.
        starts: first steps of the segments it visits, ascending, [B, V]; unused ones are last.
        life: how many segments it visits, [B].
        done: how many of them it has visited, [B].
        taken: steps that every row has taken, [].
    """

    episode: Int[np.ndarray, " B"]
    starts: Int[np.ndarray, "B V"]
    life: Int[np.ndarray, " B"]
    done: Int[np.ndarray, " B"]
    taken: Int[np.ndarray, ""]


@dataclass
class _Life:
    """What a row visits before it takes a new episode; its cursor, while it advances."""

    episode: int
    starts: list[int]
    done: int


class Jump(AbstractOrder):
    """Visits the first steps of an episode, some around rare observations, and some at random.

    A short row visits `segments` segments; all but the first and one hold rare steps, as far as
    there are so many, none twice: what is asked often depends on several.
    A long row visits `long_segments` whole windows, never more than an episode has, none twice,
    and all that hold a rare step: what it remembers is what the whole episode would have left.
    All are visited in the order of time.

    Args:
        window: R, steps of a window.
        segments: segments of an episode that a short row visits.
        rare: episode id -> its rare steps, and with what probability to visit each.
        long_rows: share of the rows that are long.
        long_segments: windows that a long row visits.
        burn_in: steps, at most, that a long row also reads of what lies between two windows: with
            enough of them its state is as old as it looks.
        long_after: steps that every row takes before the first one is long: what is not written
            yet cannot be held, and is found sooner among young states.
        segment_length: steps of a segment, a divisor of R; 0: R. With long rows, R divides
            segments * segment_length.
    """

    def __init__(
        self,
        window: int,
        segments: int,
        rare: Rare,
        long_rows: float = 0.0,
        long_segments: int = 250,
        burn_in: int = 0,
        long_after: int = 0,
        segment_length: int = 0,
    ):
        self.window, self.segment_length = window, segment_length or window
        self.segments, self.rare = segments, rare
        self.long_rows, self.long_segments = long_rows, max(segments, long_segments)
        self.burn_in, self.long_after = burn_in, long_after

    @classmethod
    def make(  # type: ignore[override]
        cls,
        parts: OrderParts,
        *,
        segments: int,
        segment_length: int,
        rare: int,
        long_rows: float,
        long_segments: int,
        burn_in: int,
        long_after: float,
    ) -> "Jump":
        """See AbstractOrder."""
        return cls(
            parts.window,
            segments,
            parts.rarity(rare),
            long_rows,
            long_segments,
            min(burn_in, parts.burn_in),
            int(long_after * parts.updates) * parts.window,
            segment_length,
        )

    def init(self, rows: int) -> JumpCursor:  # type: ignore[override]
        """See AbstractOrder."""
        none = np.full(rows, -1, np.int64)
        most = (
            self.long_segments * (self.window // self.segment_length)
            if self.long_rows
            else self.segments
        )
        starts = np.zeros((rows, max(self.segments, most)), np.int64)
        return JumpCursor(none, starts, *np.zeros((2, rows), np.int64), np.array(0))

    def warming_up(self, cursor: JumpCursor) -> bool:
        """See AbstractOrder: nothing was taught to hold before the first long row."""
        return bool(cursor.taken < self.long_after)

    def held_out(self, ids: Ids, lengths: Ids, *, window: int, rng: np.random.Generator) -> HeldOut:
        """See AbstractOrder: very long episodes are not passed over, but jumped through too."""
        if lengths.mean() <= LONG:
            return super().held_out(ids, lengths, window=window, rng=rng)
        cursor, steps = self._grown(HELD_OUT_ROWS), HELD_OUT_VISITS * window
        _, visits = self.advance(cursor, steps, ids, lengths, rng=rng)
        return HeldOut(visits, HELD_OUT_ROWS, window, HELD_OUT_VISITS, 1)

    def _grown(self, rows: int) -> JumpCursor:
        """Return a cursor of new rows, after the time from which some grow old."""
        return self.init(rows)._replace(taken=np.array(self.long_after))

    def advance(  # type: ignore[override]
        self, cursor: JumpCursor, steps: int, ids: Ids, lengths: Ids, *, rng: np.random.Generator
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
        episode, starts, life, done = (a.copy() for a in cursor[:4])
        live, taken, rows = set(ids.tolist()), int(cursor.taken), len(episode)
        visits: list[Visit] = []
        for row in range(rows):
            lived = _Life(int(episode[row]), starts[row, : life[row]].tolist(), int(done[row]))
            ages = self.long_after if row >= rows - round(self.long_rows * rows) else math.inf
            # First steps of segments that begin anew: an evicted episode is left at once.
            for offset in range(0, steps, self.segment_length):
                fresh = lived.done >= len(lived.starts) or lived.episode not in live
                began = taken + offset - lived.done * self.segment_length
                if fresh:
                    now = taken + offset
                    # The first of its kind is cut, or all rows would be of one age for ever.
                    cut = lived.episode < 0 or began < ages <= now
                    lived, began = self._begin(ids, lengths, now >= ages, cut, rng), now
                start, gap = lived.starts[lived.done], 0
                if not fresh and began >= ages:
                    skipped = start - lived.starts[lived.done - 1] - self.segment_length
                    gap = min(max(skipped, 0), self.burn_in)
                stop = start + self.segment_length
                # Step 0 is never read into a state that has read it before.
                anew = fresh or start == 0
                visits.append(Visit(row, lived.episode, start, stop, offset, anew, gap))
                lived.done += 1
            episode[row], life[row], done[row] = lived.episode, len(lived.starts), lived.done
            starts[row, : len(lived.starts)] = lived.starts
        return JumpCursor(episode, starts, life, done, cursor.taken + steps), visits

    def _begin(
        self, ids: Ids, lengths: Ids, long: bool, cut: bool, rng: np.random.Generator
    ) -> _Life:
        """Draw an episode and what to visit of it; `cut`: no more than the first few windows."""
        chosen = int(rng.integers(len(ids)))
        draw = self._long if long else self._short
        segments = draw(int(ids[chosen]), int(lengths[chosen]), rng)
        if cut:
            whole = self.window // self.segment_length
            segments = segments[: (int(rng.integers(max(1, len(segments) // whole))) + 1) * whole]
        return _Life(int(ids[chosen]), segments.tolist(), 0)

    def _short(self, episode: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, " V"]:
        """Draw the first steps of the segments of a short life, ascending.

        No step is read twice into one state, which would be another episode, unless this one is
        too short for that. A window that begins within the first one is the first one, read anew:
        moved behind it, it would hold nothing rare, and writing would be taught half as often.
        """
        last = length - self.segment_length
        steps, probability = self.rare(episode)
        # One place is left for a step that is not rare, if there is more than one.
        count = min(len(steps), max(1, self.segments - 2), np.count_nonzero(probability))
        some = count < len(steps)
        rare = rng.choice(steps, size=count, p=probability, replace=False) if some else steps
        # The rare step may stand anywhere in its segment.
        rare = rare - rng.integers(self.segment_length, size=len(rare))
        others = rng.integers(last + 1, size=self.segments - 1 - len(rare))
        starts = np.sort(np.clip(np.concatenate(([0], rare, others)), 0, last))
        again = (
            np.count_nonzero(starts[1:] < self.window) if self.segment_length == self.window else 0
        )
        starts[: again + 1] = 0
        # What begins within the one before begins after it; that loses no step.
        apart = np.arange(len(starts) - again) * self.segment_length
        once = np.maximum.accumulate(starts[again:] - apart) + apart
        starts[again:] = np.minimum(once, last - apart[::-1])
        return np.clip(starts, 0, last)

    def _long(self, episode: int, length: int, rng: np.random.Generator) -> Int[np.ndarray, " V"]:
        """Draw those of a long life: an episode is cut into windows, of which some are left out.

        Those that hold nothing rare are evenly spaced, so that about as much lies between any two.
        Where the windows do not fit into the episode, the last one overlaps the one before it.
        """
        count = -(-length // self.window)
        wanted = np.unique([0, *(self.rare(episode)[0] // self.window)])
        others = np.setdiff1d(np.arange(count), wanted)
        free = max(0, min(self.long_segments, count) - len(wanted))
        spaced = ((rng.random() + np.arange(free)) * len(others) / max(free, 1)).astype(np.int64)
        chosen = np.concatenate([wanted, others[spaced]])
        starts = np.sort(chosen)[: self.long_segments] * self.window
        starts = np.minimum(starts, length - self.window)
        return (starts[:, None] + np.arange(0, self.window, self.segment_length)).ravel()
