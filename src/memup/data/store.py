"""The episode store: rows and single steps of any episode at a cost that no length changes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, SupportsIndex

import numpy as np

from memup.core.errors import MemupError, require, unknown_name
from memup.core.spaces import Space
from memup.data.store_disk import MANIFEST, open_table
from memup.data.store_fields import Schema, as_array, check_block, check_scores, schema_of
from memup.data.store_spaces import StoredSpaces
from memup.data.store_tables import AbstractTable, MemoryTable, ranges


class EpisodeStore:
    """Episodes in memory or on disk, the newest `limit` of them live.

    An episode is a dict of arrays with the same first length N >= 1 (steps). The first one fixes
    the names, dtypes and trailing shapes; dtypes are kept as they are. Ids count from 0 and are
    never used again, except after `rollback`. One writer at a time.

    Args:
        path: folder of the disk format (`memup.data.store_disk`), made if it is not there; in
            memory if None.
        limit: live episodes at most; when there are more, the oldest stop being live. None: no
            limit, or that of the store at `path`.

    Attributes:
        path: folder of the disk format; None in memory.
        limit: live episodes at most, or None.
        next_id: id of the next episode: the count of all that were ever added.
    """

    def __init__(self, path: str | Path | None = None, limit: int | None = None):
        require(limit is None or limit >= 1, f"limit={limit}: expected at least 1")
        self.path = None if path is None else Path(path)
        disk = None if self.path is None else open_table(self.path, limit)
        self._table: AbstractTable = disk or MemoryTable()
        self._disk = disk
        self.limit = disk.limit if disk else limit

    @classmethod
    def open(cls, path: str | Path) -> "EpisodeStore":
        """Open the store at `path`; nothing is written until something is added.

        Raises:
            MemupError: there is none, it is damaged, or a newer version wrote it.
        """
        require((Path(path) / MANIFEST).exists(), f"{path}: there is no episode store")
        return cls(path)

    @classmethod
    def from_episodes(
        cls,
        episodes: Sequence[Mapping[str, Any]],
        path: str | Path | None = None,
        limit: int | None = None,
        observation_space: Space | None = None,
        action_space: Space | None = None,
    ) -> "EpisodeStore":
        """Make a store of a list of episodes.

        Args:
            episodes: see `add`.
            path: a new folder; in memory if None.
            limit: live episodes at most.
            observation_space: of "obs" or "obs.x"; None: it is inferred from the values.
            action_space: of "action" or "action.x"; None: likewise.

        Raises:
            MemupError: there is a store with episodes at `path`; or as `add` and `describe`.
        """
        store = cls(path, limit)
        require(
            store.next_id == 0,
            f"{path}: there is a store of {store.next_id} episodes; expected a new folder",
        )
        store.describe(observation_space, action_space)
        for episode in episodes:
            store.add(episode)
        return store

    def describe(self, observation_space: Space | None, action_space: Space | None) -> None:
        """Say what the fields are; None leaves it open. Episodes that do not fit are refused."""
        spaces = StoredSpaces(observation_space, action_space)
        if spaces == self._table.spaces:
            return
        if self._table.schema:
            spaces.check(self._table.schema)
        self._table.describe(spaces)

    @property
    def spaces(self) -> StoredSpaces:
        """What `describe` was told."""
        return self._table.spaces

    # -- adding -----------------------------------------------------------------------------

    def add(self, episode: Mapping[str, Any], score: Any = None) -> int:
        """Add one episode.

        Args:
            episode: name to [N, ...].
            score: float32 [N], kept as the scores called "score".

        Returns:
            Its id.

        Raises:
            MemupError: it does not fit the earlier ones, is not finite, or cannot be written;
                then nothing of it is stored.
        """
        require(bool(episode), "an episode needs at least one field")
        arrays = {name: as_array(name, values) for name, values in episode.items()}
        steps = len(next(iter(arrays.values())))
        return int(self.extend(arrays, [steps], score)[0])

    def extend(self, fields: Mapping[str, Any], lengths: Any, score: Any = None) -> np.ndarray:
        """Add many episodes at once: all of them or, on an error, none.

        Args:
            fields: name to the concatenated episodes, [sum(lengths), ...].
            lengths: steps of each, [n].
            score: float32 [sum(lengths)], kept as the scores called "score".

        Returns:
            Their ids, [n].

        Raises:
            MemupError: as `add`.
        """
        lengths = np.asarray(lengths, np.int64)
        table, first, steps = self._table, self.next_id, int(lengths.sum())
        blocks = check_block(fields, lengths, table.schema if table.episodes else {})
        schema = schema_of(blocks)
        given = {} if score is None else {"score": check_scores("score", score, steps, schema)}
        if not len(lengths):
            return np.arange(first, first)
        if schema != table.schema:
            table.spaces.check(schema)
            table.create(schema)
        for name in given.keys() - table.scores:
            table.add_score(name)
        unscored = {name: np.full(steps, np.nan, np.float32) for name in table.scores}
        table.append(blocks | unscored | given, lengths)
        self._compact_memory()
        return np.arange(first, self.next_id)

    # -- what there is ----------------------------------------------------------------------

    @property
    def next_id(self) -> int:
        """Id of the next episode."""
        return self._table.first_id + self._table.episodes

    @property
    def _first_live(self) -> int:
        first = self._table.first_id
        return first if self.limit is None else max(first, self.next_id - self.limit)

    def __len__(self) -> int:
        """Number of live episodes."""
        return self.next_id - self._first_live

    @property
    def ids(self) -> np.ndarray:
        """Ids of the live episodes, oldest first, int64."""
        return np.arange(self._first_live, self.next_id)

    @property
    def steps(self) -> int:
        """Number of steps of the live episodes."""
        return self._table.row_count - self._rows_before(self._first_live)

    @property
    def fields(self) -> Schema:
        """Field name to (dtype, trailing shape); empty before the first episode."""
        return dict(self._table.schema)

    @property
    def nbytes(self) -> int:
        """Bytes kept, with those of episodes that are no longer live but not yet dropped."""
        return self._table.nbytes

    def lengths(self, ids: Any = None) -> np.ndarray:
        """Return the steps of each episode, int64, shaped as `ids` (all live ones if None)."""
        if ids is None:
            return np.array(self._table.index.array[self._first_live - self._table.first_id :, 1])
        return self._places(ids)[..., 1]

    # -- reading ----------------------------------------------------------------------------

    def rows(
        self, ids: Any, start: Any, length: int, fields: Sequence[str] | None = None
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Read one window of each of n episodes.

        Args:
            ids: episodes, [n].
            start: first step of each window, [n]; it may lie outside the episode.
            length: steps of a window.
            fields: which fields or scores; all fields if None.

        Returns:
            name to [n, length, ...], and valid [n, length]: False where the step lies outside
            the episode; there the nearest step is repeated.

        Raises:
            MemupError: an id that is not live, or an empty store.
        """
        places = self._places(ids)[:, None]
        step = np.asarray(start, np.int64)[:, None] + np.arange(length)[None]
        inside = np.clip(step, 0, places[..., 1] - 1)
        rows = places[..., 0] + inside
        return self._gather_all(rows, fields), inside == step

    def at(
        self, ids: Any, index: Any, fields: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Read single steps.

        Args:
            ids: episodes, any shape.
            index: step in each, a shape that broadcasts with that of `ids`.
            fields: which fields or scores; all fields if None.

        Returns:
            name to [*shape, ...].

        Raises:
            MemupError: an id that is not live, a step outside its episode, or an empty store.
        """
        return self._gather_all(self.global_rows(ids, index), fields)

    def global_rows(self, ids: Any, index: Any) -> np.ndarray:
        """Return the rows that `gather` reads for steps `index` of `ids` (shapes as in `at`).

        They hold until the store is next changed.
        """
        places, index = self._places(ids), np.asarray(index, np.int64)
        wrong = (index < 0) | (index >= places[..., 1])
        if wrong.any():
            bad, length = np.broadcast_arrays(index, places[..., 1])
            last = length[wrong][0] - 1
            raise MemupError(f"step {bad[wrong][0]}: expected 0..{last}, the steps of its episode")
        return np.asarray(places[..., 0] + index)

    @property
    def mean_length(self) -> float:
        """Steps of a live episode on average; 0 where there is none."""
        return self.steps / max(len(self), 1)

    def sample_rows(self, rng: np.random.Generator, most: int) -> np.ndarray:
        """Draw rows of live episodes evenly, with repetition: `most`, or as many as there are."""
        first = int(self.global_rows(self.ids[:1], np.zeros(1, np.int64))[0])
        return first + rng.integers(self.steps, size=min(most, self.steps))

    def gather(self, field: str, rows: Any) -> np.ndarray:
        """Read rows (any shape, from `global_rows`) of one field or score: [*shape, ...]."""
        columns = self._table.columns
        if field not in columns:
            raise unknown_name("field", field, columns)
        return np.asarray(np.take(columns[field].array, rows, axis=0))

    def behind(self, rows: Any, count: int) -> np.ndarray:
        """Return each row and the `count` - 1 before it in its episode, the oldest first.

        Where the episode has fewer, its first step is repeated.

        Args:
            rows: any shape, from `global_rows`.
            count: at least 1.

        Returns:
            Rows, [*shape, count].
        """
        offsets, rows = self._table.index.array[:, 0], np.asarray(rows, np.int64)
        if count == 1:  # no episode need be looked for
            return rows[..., None]
        first = offsets[np.searchsorted(offsets, rows, side="right") - 1]
        return np.maximum(rows[..., None] - np.arange(count)[::-1], first[..., None])

    def episode(self, id: SupportsIndex) -> dict[str, np.ndarray]:
        """Return one episode, name to [N, ...]: read-only views, nothing is copied."""
        offset, length = self._places(id).tolist()
        columns = self._table.columns
        return {name: columns[name].array[offset : offset + length] for name in self._table.schema}

    # -- scores -----------------------------------------------------------------------------

    def set_scores(self, ids: Any, values: Any, name: str = "score") -> None:
        """Overwrite the scores of whole episodes; the others stay NaN until they get theirs.

        Scores are not part of what `rollback` restores: whoever resumes sets them again.

        Args:
            ids: episodes, [n].
            values: n arrays of one score a step, or their concatenation, float32.
            name: which scores.

        Raises:
            MemupError: an id that is not live, another number of scores than steps, or a name
                that a field has.
        """
        places = self._places(np.atleast_1d(ids))
        if isinstance(values, (list, tuple)):
            values = np.concatenate([np.atleast_1d(np.asarray(v, np.float32)) for v in values])
        values = check_scores(name, values, int(places[:, 1].sum()), self._table.schema)
        if name not in self._table.scores:
            self._table.add_score(name)
        self._table.put(name, ranges(places), values)

    def scores(self, id: SupportsIndex, name: str = "score") -> np.ndarray:
        """Return the scores of one episode, float32 [N], NaN where there are none."""
        return self.scores_of([id], name)[0]

    def scores_of(self, ids: Any, name: str = "score") -> list[np.ndarray]:
        """Return the scores of several episodes, as `scores` does, one array each."""
        places = self._places(ids).tolist()
        if name not in self._table.scores:
            return [np.full(length, np.nan, np.float32) for _, length in places]
        column = self._table.columns[name].array
        return [column[offset : offset + length] for offset, length in places]

    # -- forgetting -------------------------------------------------------------------------

    def rollback(self, count: int) -> None:
        """Forget the episodes with id >= `count`, as if they had never been added.

        The live ones are then the last `limit` before `count`.

        Raises:
            MemupError: there are fewer, or some of those that would be live were dropped.
        """
        require(
            0 <= count <= self.next_id,
            f"rollback to {count} episodes: expected 0..{self.next_id}, the number added",
        )
        first = 0 if self.limit is None else max(0, count - self.limit)
        require(
            first >= self._table.first_id,
            f"rollback to {count} episodes: those before {self._table.first_id} were dropped, "
            f"and {first}.. would be live",
        )
        if count < self.next_id:
            self._table.cut(count - self._table.first_id)

    def release(self, count: int) -> None:
        """Say that no rollback before `count` will come, so that older episodes may be dropped.

        On disk this is the only way to get room back; in memory it is not needed.

        Args:
            count: a number of episodes added, at most `next_id`.
        """
        if self.limit is None:
            return
        gone = min(count, self.next_id) - self.limit - self._table.first_id
        if gone > 0:
            self._drop_if_worth(gone)

    def sync(self) -> None:
        """Wait until all episodes are on the device, so that they outlive a loss of power."""
        if self._disk:
            self._disk.sync()

    def _compact_memory(self) -> None:
        gone = self._first_live - self._table.first_id
        if self._disk is None and gone > 0:
            self._drop_if_worth(gone)

    def _drop_if_worth(self, episodes: int) -> None:
        # Only when more goes than stays: then a row is moved O(1) times on average.
        dead = self._table.rows_before(episodes)
        if 2 * dead > self._table.row_count:
            self._table.drop(episodes)

    # -- parts ------------------------------------------------------------------------------

    def _places(self, ids: Any) -> np.ndarray:
        """Return (offset, length) of each id, [*shape, 2]."""
        require(len(self) > 0, "the store is empty: add an episode first")
        ids = np.asarray(ids)
        require(ids.dtype.kind in "iu", f"episode ids of dtype {ids.dtype}: expected integers")
        wrong = (ids < self._first_live) | (ids >= self.next_id)
        if wrong.any():
            live = f"{self._first_live}..{self.next_id - 1}"
            raise MemupError(f"episode {ids[wrong].flat[0]} is not live: expected {live}")
        return self._table.index.array[ids.astype(np.int64) - self._table.first_id]

    def _rows_before(self, id: int) -> int:
        return self._table.rows_before(id - self._table.first_id)

    def _gather_all(self, rows: np.ndarray, fields: Sequence[str] | None) -> dict[str, np.ndarray]:
        names = self._table.schema if fields is None else fields
        return {name: self.gather(name, rows) for name in names}
