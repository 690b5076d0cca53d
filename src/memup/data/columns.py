"""One field of all episodes: rows that are appended, read as one array and cut at the end."""

import math
from typing import Any

import numpy as np


class MemoryColumn:
    """Rows in memory; the room doubles, so n appends cost O(rows) in all.

    Attributes:
        dtype: kind of one element.
        tail: shape of one row.
        count: number of rows.
    """

    def __init__(self, dtype: Any, tail: tuple[int, ...]):
        self.dtype = np.dtype(dtype)
        self.tail = tail
        self.count = 0
        self._room = np.empty((0, *tail), self.dtype)

    @property
    def array(self) -> np.ndarray:
        """All rows, [count, *tail], a read-only view."""
        view = self._room[: self.count]
        view.flags.writeable = False
        return view

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return self.count * math.prod(self.tail) * self.dtype.itemsize

    def append(self, values: np.ndarray) -> None:
        """Add rows [n, *tail]."""
        end = self.count + len(values)
        if end > len(self._room):
            grown = np.empty((max(end, 2 * self.count), *self.tail), self.dtype)
            grown[: self.count] = self.array
            self._room = grown
        self._room[self.count : end] = values
        self.count = end

    def put(self, first: int, values: np.ndarray) -> None:
        """Overwrite the rows that begin at `first` with [n, *tail]."""
        self._room[first : first + len(values)] = values

    def cut(self, count: int) -> None:
        """Forget the rows from `count` on."""
        self.count = count

    def trim(self) -> None:
        """Do nothing: room behind the last row is kept for later ones."""
