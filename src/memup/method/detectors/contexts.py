"""Scores of many steps: where few contexts exist, each is asked about once and then looked up.

A million steps of a corridor hold a dozen different contexts. Their bytes are the key of a table;
what the table has no room for is left to the network.
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from memup.data.store import EpisodeStore

SLOTS = 1 << 16
MOST = 4096
MOST_BYTES = 64
_MIX = np.uint64(0x9E3779B97F4A7C15)


class ContextTable:
    """Looks scores up by context.

    Args:
        store: where the steps lie.
        fields: what a step's score depends on.
        ask: rows of the store -> their scores, by the network: a number each, or several.
        steps: that a context shows.
    """

    def __init__(
        self,
        store: EpisodeStore,
        fields: list[str],
        ask: Callable[[Int[np.ndarray, " N"]], Float[np.ndarray, "N ..."]],
        steps: int = 1,
    ):
        self.store, self.fields, self.ask, self.steps = store, fields, ask, steps
        kinds = [store.fields[name] for name in fields]
        self.width = steps * sum(dtype.itemsize * math.prod(tail) for dtype, tail in kinds)
        self.narrow = 0 < self.width <= MOST_BYTES
        self._keys = np.zeros(SLOTS, np.uint64)
        self._used = np.zeros(SLOTS, bool)
        self._scores: np.ndarray | None = None

    def scores(self, rows: Int[np.ndarray, " N"]) -> Float[np.ndarray, "N ..."]:
        """Return the scores of N steps, by the table where contexts are small and few."""
        if not self.narrow:
            return self.ask(rows)
        keys = self._pack(rows)
        self._learn(keys, rows)
        if self._scores is None:  # nothing was asked
            return self.ask(rows)
        known, scores = self._known(keys), self._scores[_slots(keys)]
        if not known.all():
            scores[~known] = self.ask(rows[~known])
        return scores

    def _pack(self, rows: Int[np.ndarray, " N"]) -> UInt64[np.ndarray, " N"]:
        """Make one number of the bytes of each step's context."""
        seen = self.store.behind(rows, self.steps)
        columns = [np.ascontiguousarray(self.store.gather(name, seen)) for name in self.fields]
        parts = [c.reshape(len(c), -1).view(np.uint8) for c in columns if c.size]
        packed = np.zeros((len(rows), -(-self.width // 8) * 8), np.uint8)
        packed[:, : self.width] = np.concatenate(parts, axis=1)
        words = packed.view(np.uint64)
        key = words[:, 0].copy()
        with np.errstate(over="ignore"):
            # One word is its own key; of several, two contexts in 4,096 share one once in 1e12.
            for word in words.T[1:]:
                key = (key ^ (key >> np.uint64(29))) * _MIX + word
        return key

    def _known(self, keys: UInt64[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
        slots = _slots(keys)
        return self._used[slots] & (self._keys[slots] == keys)

    def _learn(self, keys: UInt64[np.ndarray, " N"], rows: Int[np.ndarray, " N"]) -> None:
        """Ask about new contexts, each once, as long as the table has room."""
        unknown = np.flatnonzero(~self._known(keys))
        while len(unknown) and (room := MOST - int(self._used.sum())):
            now, unknown = unknown[:SLOTS], unknown[SLOTS:]
            new, first = np.unique(keys[now], return_index=True)
            _, own = np.unique(_slots(new), return_index=True)
            own = own[~self._used[_slots(new[own])]][:room]
            if len(own):
                slots = _slots(new[own])
                self._keys[slots], self._used[slots] = new[own], True
                found = self.ask(rows[now[first[own]]])
                if self._scores is None:
                    self._scores = np.zeros((SLOTS, *found.shape[1:]), np.float32)
                self._scores[slots] = found
            unknown = unknown[~self._known(keys[unknown])]


def _slots(keys: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return ((keys * _MIX) >> np.uint64(48)).astype(np.int64)
