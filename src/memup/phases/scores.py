"""Scores of many steps: where few contexts exist, each is asked about once and then looked up.

A million steps of a corridor hold a dozen different contexts. Their bytes, or 64 bits of a hash of
them where there are more than 8, are the key of a table; a block of steps with too many new
contexts is left to the network as a whole.
"""

import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float, Int, UInt64

from memup.data.store import EpisodeStore

SLOTS = 1 << 16
MOST = 4096
WORD = 8
WIDEST = 64
_MIX = np.uint64(0x9E3779B97F4A7C15)


class ContextTable:
    """Looks scores up by context.

    Args:
        store: where the steps lie.
        fields: what a step's score depends on.
        ask: rows of the store -> their scores, by the network.
    """

    def __init__(
        self,
        store: EpisodeStore,
        fields: list[str],
        ask: Callable[[Int[np.ndarray, " N"]], Float[np.ndarray, " N"]],
    ):
        self.store, self.fields, self.ask = store, fields, ask
        kinds = [store.fields[name] for name in fields]
        self.width = sum(dtype.itemsize * math.prod(tail) for dtype, tail in kinds)
        self._keys = np.zeros(SLOTS, np.uint64)
        self._used = np.zeros(SLOTS, bool)
        self._scores = np.zeros(SLOTS, np.float32)

    def scores(self, rows: Int[np.ndarray, " N"]) -> Float[np.ndarray, " N"]:
        """Return the scores of N steps, by the table where contexts are small and few."""
        if not 0 < self.width <= WIDEST:
            return self.ask(rows)
        keys = self._pack(rows)
        new = ~self._known(keys)
        if new.any() and not self._learn(keys[new], rows[new]):
            return self.ask(rows)
        return self._scores[_slots(keys)]

    def _pack(self, rows: Int[np.ndarray, " N"]) -> UInt64[np.ndarray, " N"]:
        """Make one number of the bytes of each step's context."""
        columns = [np.ascontiguousarray(self.store.gather(name, rows)) for name in self.fields]
        parts = [c.reshape(len(c), -1).view(np.uint8) for c in columns if c.size]
        words = -(-self.width // WORD)
        packed = np.zeros((len(rows), words * WORD), np.uint8)
        packed[:, : self.width] = np.concatenate(parts, axis=1)
        word = packed.view(np.uint64)
        key = word[:, 0].copy()
        for number in range(1, words):
            key = _mixed(key) ^ word[:, number]
        return key

    def _known(self, keys: UInt64[np.ndarray, " N"]) -> Bool[np.ndarray, " N"]:
        slots = _slots(keys)
        return self._used[slots] & (self._keys[slots] == keys)

    def _learn(self, keys: UInt64[np.ndarray, " N"], rows: Int[np.ndarray, " N"]) -> bool:
        """Ask about new contexts, each once; False if they are too many or share a slot."""
        while len(keys):
            new, first = np.unique(keys[:SLOTS], return_index=True)
            slots = _slots(new)
            full = len(new) + self._used.sum() > MOST
            if full or self._used[slots].any() or len(np.unique(slots)) < len(slots):
                return False
            self._keys[slots], self._used[slots] = new, True
            self._scores[slots] = self.ask(rows[first])
            left = ~self._known(keys)
            keys, rows = keys[left], rows[left]
        return True


def _mixed(keys: UInt64[np.ndarray, " N"]) -> UInt64[np.ndarray, " N"]:
    """Mix the bits of keys; different ones stay different."""
    with np.errstate(over="ignore"):
        mixed = keys * _MIX
        return mixed ^ (mixed >> np.uint64(32))


def _slots(keys: UInt64[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    with np.errstate(over="ignore"):
        return ((keys * _MIX) >> np.uint64(48)).astype(np.int64)
