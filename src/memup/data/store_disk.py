"""The disk format of the episode store, which numpy alone can read.

    store.json    {"format", "version", "folder", "first_id", "limit", "fields", "scores",
                   "spaces"}
    FOLDER/       "." at first, a new one after each compaction
      index.npy   int64 [episodes, 2]: first row and length of each; its length is the truth
      FIELD.npy   the rows of all episodes, end to end; a score is a float32 field of its own

Row i of the index is the episode with id first_id + i. With a limit only the newest `limit` are
live. Rows of a field behind those that the index names belong to an episode in flight. Append
writes the fields and then the index; a change of store.json is one rename.
"""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from memup.core.errors import MemupError, require
from memup.data.columns import MemoryColumn
from memup.data.store_fields import KINDS, Schema, check_name
from memup.data.store_files import FileColumn, damaged, writing
from memup.data.store_spaces import StoredSpaces
from memup.data.store_tables import FILL_ROWS, AbstractTable, fill

FORMAT = "memup-episodes"
VERSION = 1
MANIFEST = "store.json"
DRAFT = "store.json.draft"


class DiskTable(AbstractTable):
    """Episodes in a folder. Opening changes nothing; leftovers are removed by the first write."""

    def __init__(self, path: Path, manifest: dict[str, Any]):
        self.path = path
        self.limit: int | None = manifest["limit"]
        self.first_id = manifest["first_id"]
        self.schema = manifest["fields"]
        self.scores = manifest["scores"]
        self.spaces = manifest["spaces"]
        self._folder = manifest["folder"]
        self._ready = False
        self.columns = {}
        self.index = MemoryColumn(np.int64, (2,))
        if self.schema:
            self._open_columns()

    def begin(self) -> None:
        """Remove what a writer that died left behind, once."""
        if self._ready:
            return
        for column in (*self.columns.values(), self.index):
            column.cut(column.count)
            column.trim()
        for folder in self.path.glob("rows-*"):
            if folder.name != self._folder:
                shutil.rmtree(folder, ignore_errors=True)
        if self._folder != ".":
            self._remove(self.path)
        self._ready = True

    def create(self, schema: Schema) -> None:
        """Make the files of the first episode."""
        self.begin()
        if self.schema:
            # Files of another kind come: until they are all there, none are promised.
            self._write_manifest(fields={}, scores=[])
            self._remove(self._place())
            self.columns, self.schema, self.scores = {}, {}, []
            self.index = MemoryColumn(np.int64, (2,))
        with writing(self._place()):
            self._place().mkdir(exist_ok=True)
        columns = {
            name: FileColumn.create(self._file(name), dtype, tail)
            for name, (dtype, tail) in schema.items()
        }
        index = FileColumn.create(self._file("index"), np.int64, (2,))
        self._write_manifest(fields=schema, scores=[])
        self.columns, self.index, self.schema, self.scores = columns, index, schema, []

    def describe(self, spaces: StoredSpaces) -> None:
        """Write what episodes are into the manifest."""
        self.begin()
        self._write_manifest(spaces=spaces)
        self.spaces = spaces

    def add_score(self, name: str) -> None:
        """Make a file of scores, NaN in every row there is."""
        self.begin()
        column = FileColumn.create(self._file(name), np.float32, ())
        fill(column, self.row_count)
        self._write_manifest(scores=[*self.scores, name])
        self.columns[name] = column
        self.scores = [*self.scores, name]

    def drop(self, episodes: int) -> None:
        """Copy what stays into a new folder, switch to it, and remove the old files."""
        self.begin()
        old, rows = self._folder, self.rows_before(episodes)
        new = f"rows-{self.first_id + episodes}"
        try:
            columns, index = self._copy_to(new, episodes, rows)
            self._write_manifest(folder=new, first_id=self.first_id + episodes)
        except BaseException:
            shutil.rmtree(self.path / new, ignore_errors=True)
            raise
        self.columns, self.index = columns, index
        self._folder, self.first_id = new, self.first_id + episodes
        self._remove(self.path / old)

    def sync(self) -> None:
        """Wait until all episodes are on the device, the index last."""
        for column in self.columns.values():
            column.sync()
        if self.schema:
            self.index.sync()

    def _place(self) -> Path:
        return self.path / self._folder

    def _file(self, name: str) -> Path:
        return self._place() / f"{name}.npy"

    def _open_columns(self) -> None:
        self.index = FileColumn.open(self._file("index"), np.int64, (2,))
        rows = _checked_rows(self.index)
        kinds = self.schema | {name: (np.dtype(np.float32), ()) for name in self.scores}
        for name, (dtype, tail) in kinds.items():
            column = FileColumn.open(self._file(name), dtype, tail)
            if column.count < rows:
                raise damaged(column.path, f"{column.count} rows, expected at least {rows}")
            column.count = rows
            # Mapped now: a compaction by the writer may unlink the file, a map keeps it.
            column.map()
            self.columns[name] = column

    def _copy_to(
        self, new: str, episodes: int, rows: int
    ) -> tuple[dict[str, FileColumn], FileColumn]:
        folder = self.path / new
        with writing(folder):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        columns = {name: _copy(c, folder, c.array[rows:]) for name, c in self.columns.items()}
        index = self.index.array[episodes:] - np.array([[rows, 0]])
        return columns, _copy(self.index, folder, index)

    def _remove(self, folder: Path) -> None:
        """Remove the files of this store from a folder that is no longer used."""
        for name in ["index", *self.columns]:
            with suppress(OSError):
                (folder / f"{name}.npy").unlink()
        if folder != self.path:
            with suppress(OSError):
                folder.rmdir()

    def _write_manifest(self, **changes: Any) -> None:
        write_manifest(self.path, self._manifest() | changes)

    def _manifest(self) -> dict[str, Any]:
        return {
            "folder": self._folder,
            "first_id": self.first_id,
            "limit": self.limit,
            "fields": self.schema,
            "scores": self.scores,
            "spaces": self.spaces,
        }


def open_table(path: Path, limit: int | None) -> DiskTable:
    """Open the store at `path`, or make one where there is nothing.

    Raises:
        MemupError: the folder holds something else, the store is damaged or of another version,
            or it has another limit.
    """
    if not (path / MANIFEST).exists():
        _make(path, limit)
    table = DiskTable(path, read_manifest(path / MANIFEST))
    require(
        limit in (None, table.limit),
        f"limit={limit}: the store at {path} was made with limit={table.limit}",
    )
    return table


def _make(path: Path, limit: int | None) -> None:
    with writing(path):
        path.mkdir(parents=True, exist_ok=True)
        others = sorted(p.name for p in path.iterdir() if p.name != DRAFT)
    require(
        not others,
        f"{path} is no episode store: it has {others[:1]} but no {MANIFEST}; expected a new folder",
    )
    empty = {"folder": ".", "first_id": 0, "limit": limit, "fields": {}, "scores": []}
    write_manifest(path, empty | {"spaces": StoredSpaces()})


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write store.json so that at any moment there is a whole one."""
    fields = {
        name: {"dtype": dtype.str, "shape": list(tail)}
        for name, (dtype, tail) in manifest["fields"].items()
    }
    plain = {"fields": fields, "spaces": manifest["spaces"].describe()}
    text = json.dumps({"format": FORMAT, "version": VERSION, **manifest, **plain}, indent=1)
    with writing(path / MANIFEST):
        with (path / DRAFT).open("w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(path / DRAFT, path / MANIFEST)


def read_manifest(path: Path) -> dict[str, Any]:
    """Read and check store.json.

    Raises:
        MemupError: it is damaged or of another version.
    """
    try:
        found = json.loads(path.read_text())
        known = found["format"] == FORMAT
        version = found["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise damaged(path, "it does not say what it is") from None
    require(
        known and version == VERSION,
        f"{path}: format {found['format']!r} version {version!r}; "
        f"expected {FORMAT!r} version {VERSION}",
    )
    try:
        return _parse(found)
    except (ValueError, KeyError, TypeError, AttributeError, MemupError):
        raise damaged(path, "an entry is missing or has a wrong value") from None


def _parse(found: dict[str, Any]) -> dict[str, Any]:
    """Return the entries as the table wants them; raise anything if one is wrong."""
    fields = {}
    for name, kind in found["fields"].items():
        check_name(name)
        fields[name] = (np.dtype(kind["dtype"]), tuple(int(n) for n in kind["shape"]))
    for name in found["scores"]:
        check_name(name)
    folder, first, limit = found["folder"], found["first_id"], found["limit"]
    # Only folders that a compaction makes: the file must not lead out of the store.
    require(folder in (".", f"rows-{first}"), "folder")
    require(isinstance(first, int) and first >= 0, "first_id")
    require(limit is None or (isinstance(limit, int) and limit >= 1), "limit")
    require(all(dtype.kind in KINDS for dtype, _ in fields.values()), "dtype")
    require(all(n >= 0 for _, tail in fields.values() for n in tail), "shape")
    scores = list(found["scores"])
    manifest = {"folder": folder, "first_id": first, "limit": limit}
    # A store that an earlier version wrote does not say what its episodes are.
    spaces = StoredSpaces.of_json(found.get("spaces", {}))
    return manifest | {"fields": fields, "scores": scores, "spaces": spaces}


def _checked_rows(index: FileColumn) -> int:
    """Return the number of rows that the index names, or say that it is damaged."""
    offset, length = index.array[:, 0], index.array[:, 1]
    ends = np.cumsum(length)
    if (length < 1).any() or (offset != ends - length).any():
        raise damaged(index.path, "its episodes do not lie end to end")
    return int(ends[-1]) if len(ends) else 0


def _copy(column: FileColumn, folder: Path, rows: np.ndarray) -> FileColumn:
    new = FileColumn.create(folder / column.path.name, column.dtype, column.tail)
    for first in range(0, len(rows), FILL_ROWS):
        new.append(rows[first : first + FILL_ROWS])
    # The old files go soon: the new ones must be safe before that.
    new.sync()
    return new
