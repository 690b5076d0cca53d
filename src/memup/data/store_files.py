"""A column in a .npy file that grows: `np.load(path, mmap_mode="r")` opens it at any moment.

The header has a fixed length; only the digits of its row count are ever rewritten, after the rows
themselves were written. So a reader sees whole rows, and a writer that dies leaves at most bytes
behind the last row, which the next one overwrites.
"""

import errno
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from memup.core.errors import MemupError, require

DIGITS = 20
"""Room for the row count, enough for any int64."""

FULL = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT}


def damaged(path: Path, why: str) -> MemupError:
    """Make the error for a file that is not as it was written."""
    return MemupError(f"{path} is damaged: {why} (nothing was changed)")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError into a MemupError that names `path`."""
    try:
        yield
    except OSError as error:
        why = "no space" if error.errno in FULL else error.strerror
        raise MemupError(f"cannot write {path}: {why}; earlier episodes are intact") from None


def header(dtype: np.dtype, tail: tuple[int, ...], count: int) -> tuple[bytes, int]:
    """Return the .npy header of [count, *tail] and the place of the digits of `count` in it."""
    begin = f"{{'descr': {dtype.str!r}, 'fortran_order': False, 'shape': ("
    sizes = "".join(f"{size}, " for size in tail)
    text = f"{begin}{count:>{DIGITS}}, {sizes}), }}"
    text += " " * (-(len(text) + 11) % 64) + "\n"
    magic = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little")
    return magic + text.encode("latin1"), len(magic) + len(begin)


class FileColumn:
    """Rows in a .npy file, read through a memory map; nothing but the map is held open.

    Attributes:
        path: the file.
        dtype: kind of one element.
        tail: shape of one row.
        count: number of rows.
    """

    def __init__(self, path: Path, dtype: Any, tail: tuple[int, ...]):
        self.path = path
        self.dtype = np.dtype(dtype)
        self.tail = tail
        self.count = 0
        text, self._digits = header(self.dtype, tail, 0)
        self._head = len(text)
        self._row = math.prod(tail) * self.dtype.itemsize
        self._map: np.ndarray | None = None

    @classmethod
    def create(cls, path: Path, dtype: Any, tail: tuple[int, ...]) -> "FileColumn":
        """Make a file of no rows; one of that name is unlinked, so that its readers keep it."""
        column = cls(path, dtype, tail)
        with writing(path):
            path.unlink(missing_ok=True)
            path.write_bytes(header(column.dtype, tail, 0)[0])
        return column

    @classmethod
    def open(cls, path: Path, dtype: Any, tail: tuple[int, ...]) -> "FileColumn":
        """Open the file of a column that is known to be of this kind.

        Raises:
            MemupError: it is missing, of another kind, or shorter than its header says.
        """
        column = cls(path, dtype, tail)
        try:
            with path.open("rb") as file:
                head = file.read(column._head)
            size = path.stat().st_size
        except OSError as error:
            raise damaged(path, str(error.strerror)) from None
        digits = head[column._digits : column._digits + DIGITS].strip()
        column.count = int(digits) if digits.isdigit() else 0
        expected = header(column.dtype, tail, column.count)[0]
        if head != expected:
            raise damaged(path, f"its header is not that of {column.dtype} rows {list(tail)}")
        need = column._end(column.count)
        if size < need:
            raise damaged(path, f"{size} bytes, expected at least {need}")
        return column

    @property
    def array(self) -> np.ndarray:
        """All rows, [count, *tail], a read-only map of the file."""
        if self._map is None or len(self._map) != self.count:
            return self.map()
        return self._map

    @property
    def nbytes(self) -> int:
        """Bytes of all rows."""
        return self.count * self._row

    def map(self) -> np.ndarray:
        """Map the file as long as it now is; return all rows."""
        shape = (self.count, *self.tail)
        if self.nbytes == 0:
            self._map = np.empty(shape, self.dtype)
        else:
            # A plain array: numpy.memmap has a slower __getitem__.
            self._map = np.asarray(np.memmap(self.path, self.dtype, "r", self._head, shape))
        return self._map

    def append(self, values: np.ndarray) -> None:
        """Add rows [n, *tail]: first the rows, then their number."""
        self._write(self._end(self.count), values)
        count = self.count + len(values)
        self._write_count(count)
        self.count = count

    def put(self, first: int, values: np.ndarray) -> None:
        """Overwrite the rows that begin at `first` with [n, *tail]."""
        self._write(self._end(first), values)

    def cut(self, count: int) -> None:
        """Forget the rows from `count` on; the bytes stay, for maps that may still show them."""
        self.count = count
        self._write_count(count)

    def trim(self) -> None:
        """Give back the bytes behind the last row, which no map may show."""
        with writing(self.path):
            os.truncate(self.path, self._end(self.count))

    def sync(self) -> None:
        """Wait until the rows are on the device."""
        with writing(self.path), self.path.open("r+b") as file:
            os.fsync(file.fileno())

    def _end(self, count: int) -> int:
        return self._head + count * self._row

    def _write_count(self, count: int) -> None:
        digits = np.frombuffer(f"{count:>{DIGITS}}".encode(), np.uint8)
        self._write_bytes(self._digits, digits)

    def _write(self, place: int, values: np.ndarray) -> None:
        require(values.shape[1:] == self.tail, f"{self.path}: rows of shape {values.shape[1:]}")
        plain = np.ascontiguousarray(values, self.dtype)
        self._write_bytes(place, plain.reshape(-1).view(np.uint8))

    def _write_bytes(self, place: int, data: np.ndarray) -> None:
        with writing(self.path), self.path.open("r+b", buffering=0) as file:
            done = 0
            while done < len(data):
                # A disk that fills up takes a part first and fails at the next call.
                done += os.pwrite(file.fileno(), data[done:], place + done)
