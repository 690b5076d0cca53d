"""JSON files that survive a killed process and a full disk (standard library only).

Whole files are replaced atomically; a line of a .jsonl file counts only once its newline is there.
"""

import contextlib
import errno
import fcntl
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from memup.core.errors import MemupError


def plain(value: Any) -> Any:
    """Return `value` as JSON holds it: arrays as lists, paths as text, NaN and infinities as None.

    Raises:
        TypeError: JSON has nothing like it.
    """
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # arrays and scalars of NumPy and JAX, neither imported here
        return plain(value.tolist())
    raise TypeError(f"{value!r} ({type(value).__name__}) cannot be written as JSON")


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file so that readers see the old or the new one, whole."""
    text = json.dumps(plain(value), indent=1, allow_nan=False)
    replace_file(path, text.encode() + b"\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        MemupError: it is missing, unreadable or cut off.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise MemupError(f"cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise MemupError(f"{path} is cut off or not JSON") from None


def replace_file(path: Path, data: bytes) -> None:
    """Write a file so that readers see the old or the new one, whole.

    Raises:
        MemupError: it cannot be written; the old one is untouched.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writing(path):
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def append_row(path: Path, row: Mapping[str, Any]) -> None:
    """Add one line; other processes see it, whole, when this returns."""
    line = json.dumps(plain(row), allow_nan=False).encode() + b"\n"
    with writing(path), path.open("a+b", buffering=0) as file:
        # `memup eval` may append while training does: one line at a time.
        lock(file.fileno())
        end = _drop_cut_line(file)
        try:
            if file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.truncate(end)
            raise


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return all rows; a cut-off last line is left out, and a missing file has none.

    Raises:
        MemupError: a line in the middle is not JSON.
    """
    found = []
    for number, line in enumerate(_whole_lines(path), start=1):
        try:
            found.append(json.loads(line))
        except ValueError:
            raise MemupError(f"{path}, line {number}: not JSON; remove that line") from None
    return found


def keep_rows(path: Path, count: int) -> int:
    """Keep the first `count` rows; return how many are left."""
    lines = _whole_lines(path)
    if len(lines) > count:
        replace_file(path, b"".join(lines[:count]))
    return min(len(lines), count)


def lock(fd: int, wait: bool = True) -> bool:
    """Lock an open file against other processes; without waiting, say whether it was free."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as error:
        # Some network file systems have no locks: training there is better than refusing to.
        if error.errno not in {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP}:
            raise
    return True


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a failure to write `path` into the one line that users see."""
    try:
        yield
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
        hint = "; free some space, then the same command goes on" if full else ""
        raise MemupError(f"cannot write {path}: {error.strerror}{hint}") from None


def _drop_cut_line(file: BinaryIO) -> int:
    """Remove what follows the last newline; return the size that is left."""
    size = end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 4096)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        end = start if newline < 0 else start + newline + 1
        if newline >= 0:
            break
    if end < size:
        file.truncate(end)
    return end


def _whole_lines(path: Path) -> list[bytes]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise MemupError(f"cannot read {path}: {error.strerror}") from None
    return [line for line in data.splitlines(keepends=True) if line.endswith(b"\n")]
