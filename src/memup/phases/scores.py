"""Scores of many steps: where few contexts exist, each is asked about once and then looked up.

A million steps of a corridor hold a dozen different contexts. Their bytes are the key of a table; a
block of steps with too many new contexts is left to the network as a whole.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int, UInt64

SLOTS = 1 << 16
MOST = 4096
WIDEST = 8
_MIX = np.uint64(0x9E3779B97F4A7C15)


class ContextTable:
    """Looks scores up by context.

    Args:
        score: rows of the store -> their scores; asked about one row of every context.
    """

    def __init__(self, score: Callable[[Int[np.ndarray, " N"]], Float[np.ndarray, " N"]]):
        self.score = score
        self._keys = np.zeros(SLOTS, np.uint64)
        self._used = np.zeros(SLOTS, bool)
        self._scores = np.zeros(SLOTS, np.float32)
        self._count = 0

    def look_up(
        self, columns: list[np.ndarray], rows: Int[np.ndarray, " N"]
    ) -> Float[np.ndarray, " N"] | None:
        """Return the scores of N steps, or None where there are too many contexts.

        Args:
            columns: what a step's score depends on, [N, ...] each.
            rows: where the steps lie in the store.
        """
        keys = _keys(columns)
        if keys is None:
            return None
        slots = _slots(keys)
        known = self._used[slots] & (self._keys[slots] == keys)
        if not known.all() and not self._learn(keys[~known], rows[~known]):
            return None
        return self._scores[slots]

    def _learn(self, keys: np.ndarray, rows: np.ndarray) -> bool:
        """Ask about new contexts; False if they are too many or share a slot."""
        new, first = np.unique(keys[:SLOTS], return_index=True)
        while len(new) + self._count <= MOST:
            slots = _slots(new)
            if self._used[slots].any() or len(np.unique(slots)) < len(slots):
                return False
            self._keys[slots], self._used[slots] = new, True
            self._scores[slots] = self.score(rows[first])
            self._count += len(new)
            left = ~self._used[_slots(keys)] | (self._keys[_slots(keys)] != keys)
            if not left.any():
                return True
            keys, rows = keys[left], rows[left]
            new, first = np.unique(keys[:SLOTS], return_index=True)
        return False


def _keys(columns: list[np.ndarray]) -> UInt64[np.ndarray, " N"] | None:
    """Pack the bytes of each step's context into one number; None where they are too many."""
    flat = [np.ascontiguousarray(c).reshape(len(c), -1) for c in columns]
    parts = [c.view(np.uint8).reshape(len(c), -1) for c in flat if c.size]
    width = sum(p.shape[1] for p in parts)
    if not 0 < width <= WIDEST:
        return None
    packed = np.zeros((len(parts[0]), WIDEST), np.uint8)
    packed[:, :width] = np.concatenate(parts, axis=1)
    return packed.view(np.uint64)[:, 0]


def _slots(keys: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return ((keys * _MIX) >> np.uint64(48)).astype(np.int64)
