"""Columns of equal length with an index of episodes: what a store keeps, whatever holds it."""

import abc
from collections.abc import Mapping
from contextlib import suppress

import numpy as np

from memup.core.errors import MemupError
from memup.data.columns import MemoryColumn
from memup.data.store_fields import Schema
from memup.data.store_files import FileColumn
from memup.data.store_spaces import StoredSpaces

Column = MemoryColumn | FileColumn

FILL_ROWS = 1 << 20
"""Rows written at once where a column is filled or copied, so that memory use stays small."""


class AbstractTable(abc.ABC):
    """Episodes laid end to end; the index says where each begins.

    Attributes:
        schema: fields of an episode; empty before the first one.
        scores: names of the float32 columns beside the fields.
        columns: one column a field and a score, all of the same number of rows.
        index: column of (offset, length), int64 [episodes, 2].
        first_id: id of the first episode in the index.
        spaces: what the fields are.
    """

    schema: Schema
    scores: list[str]
    columns: dict[str, Column]
    index: Column
    first_id: int
    spaces: StoredSpaces

    @abc.abstractmethod
    def begin(self) -> None:
        """Make ready for writing; called before every change."""

    @abc.abstractmethod
    def create(self, schema: Schema) -> None:
        """Make the columns of the first episode."""

    @abc.abstractmethod
    def describe(self, spaces: StoredSpaces) -> None:
        """Keep what the fields are."""

    def add_score(self, name: str) -> None:
        """Make a column of scores, NaN in every row there is."""

    @abc.abstractmethod
    def drop(self, episodes: int) -> None:
        """Give back the room of the first `episodes` episodes."""

    @property
    def episodes(self) -> int:
        """Number of episodes kept."""
        return self.index.count

    @property
    def row_count(self) -> int:
        """Number of rows kept."""
        return self.rows_before(self.episodes)

    @property
    def nbytes(self) -> int:
        """Bytes of all rows kept."""
        return sum(c.nbytes for c in (self.index, *self.columns.values()))

    def rows_before(self, episode: int) -> int:
        """Number of rows before the end of the first `episode` episodes."""
        return int(self.index.array[episode - 1].sum()) if episode else 0

    def append(self, blocks: Mapping[str, np.ndarray], lengths: np.ndarray) -> None:
        """Add episodes: all of them or, if anything goes wrong, none.

        Args:
            blocks: column name to [sum(lengths), ...], one for each column.
            lengths: steps of each episode, int64 [n].
        """
        self.begin()
        before = self.episodes
        offsets = self.row_count + np.cumsum(lengths) - lengths
        try:
            for name, values in blocks.items():
                self.columns[name].append(values)
            # Last, because an episode exists from the moment the index names it.
            self.index.append(np.stack([offsets, lengths], axis=1))
        except BaseException:
            self._undo(before)
            raise

    def cut(self, episodes: int) -> None:
        """Forget the episodes after the first `episodes`."""
        self.begin()
        rows = self.rows_before(episodes)
        self.index.cut(episodes)
        for column in self.columns.values():
            column.cut(rows)

    def put(self, name: str, rows: np.ndarray, values: np.ndarray) -> None:
        """Overwrite rows [n] of a column with values [n, ...], one write a run of rows."""
        self.begin()
        breaks = np.flatnonzero(np.diff(rows) != 1) + 1
        for run, part in zip(np.split(rows, breaks), np.split(values, breaks), strict=True):
            if len(run):
                self.columns[name].put(int(run[0]), part)

    def _undo(self, episodes: int) -> None:
        rows = self.rows_before(episodes)
        for column, count in [(self.index, episodes), *((c, rows) for c in self.columns.values())]:
            # A disk that fails once may fail again: go on, the index was cut first.
            with suppress(MemupError):
                column.cut(count)
                column.trim()


class MemoryTable(AbstractTable):
    """Episodes in memory."""

    def __init__(self):
        self.schema = {}
        self.scores = []
        self.columns = {}
        self.index = MemoryColumn(np.int64, (2,))
        self.first_id = 0
        self.spaces = StoredSpaces()

    def begin(self) -> None:
        """Do nothing: memory is always ready."""

    def create(self, schema: Schema) -> None:
        """Make the columns of the first episode."""
        self.columns = {name: MemoryColumn(dtype, tail) for name, (dtype, tail) in schema.items()}
        self.schema, self.scores = schema, []

    def describe(self, spaces: StoredSpaces) -> None:
        """Keep what the fields are."""
        self.spaces = spaces

    def add_score(self, name: str) -> None:
        """Make a column of scores, NaN in every row there is."""
        column = MemoryColumn(np.float32, ())
        fill(column, self.row_count)
        self.columns[name] = column
        self.scores.append(name)

    def drop(self, episodes: int) -> None:
        """Copy what stays into new columns: views of the old ones stay as they are."""
        rows = self.rows_before(episodes)
        for name, old in self.columns.items():
            self.columns[name] = MemoryColumn(old.dtype, old.tail)
            self.columns[name].append(old.array[rows:])
        index = MemoryColumn(np.int64, (2,))
        index.append(self.index.array[episodes:] - np.array([[rows, 0]]))
        self.index = index
        self.first_id += episodes


def fill(column: Column, rows: int) -> None:
    """Append `rows` rows of NaN to a column."""
    for first in range(0, rows, FILL_ROWS):
        column.append(np.full(min(FILL_ROWS, rows - first), np.nan, np.float32))


def ranges(places: np.ndarray) -> np.ndarray:
    """Return all rows of episodes at (offset, length) [n, 2], in order."""
    offset, length = places[:, 0], places[:, 1]
    begin = np.cumsum(length) - length
    return np.repeat(offset - begin, length) + np.arange(int(length.sum()))
