"""A run directory: everything a training run leaves behind, in plain files (standard library only).

    spec.json      what was asked for, by which versions
    status.json    running | done | failed | interrupted, and in which phase
    metrics.jsonl  one object a line; eval.jsonl likewise
    checkpoints/   written by the loop
    report.html    written by `memup report`

Whole files are replaced atomically and lines count only once their newline is there, so a process
killed at any moment leaves a directory that can be read and continued.
"""

import contextlib
import json
import os
import platform
import subprocess
import weakref
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from memup.core.errors import MemupError
from memup.core.jsonfiles import (
    append_row,
    keep_rows,
    lock,
    plain,
    read_json,
    read_rows,
    write_json,
    writing,
)

Kind = Literal["metrics", "eval"]
PACKAGES = ("memup", "jax", "jaxlib", "equinox", "optax", "numpy", "gymnasium")
LOCK = ".lock"


class RunDir:
    """One run's directory. Make it with `create` (to write) or `open` (to read).

    Attributes:
        path: the directory.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self._release: Callable[[], object] | None = None

    @classmethod
    def create(cls, path: str | Path, spec: Mapping[str, Any], fresh: bool = False) -> "RunDir":
        """Make the directory and write its spec, or open one of an equal spec to go on.

        Args:
            path: the directory.
            spec: the resolved spec, nested or flat, of values that JSON knows.
            fresh: where `path` is taken, make `path`-2, `path`-3, ... instead.

        Returns:
            The directory, locked against other writers until `close`.

        Raises:
            MemupError: it holds another spec or other files, is in use, or cannot be written.
        """
        wanted = plain(spec)
        path = Path(path)
        if fresh and path.exists() and not _is_unused(path):
            path = _free_name(path)
        elif path.exists() and not (path / "spec.json").exists() and not _is_unused(path):
            raise MemupError(f"{path} exists and is not a run directory; choose another --run-dir")
        with writing(path):
            path.mkdir(parents=True, exist_ok=True)
        run = cls(path)
        run._lock()
        try:
            run._settle(wanted)
        except BaseException:
            run.close()
            raise
        return run

    @classmethod
    def open(cls, path: str | Path, write: bool = False) -> "RunDir":
        """Open a directory that exists.

        Args:
            path: the directory.
            write: lock it against other writers until `close`.

        Raises:
            MemupError: it is not a run directory, its spec is cut off, or it is in use.
        """
        run = cls(path)
        if not (run.path / "spec.json").exists():
            raise MemupError(f"{path} is not a run directory: it has no spec.json")
        _ = run.spec
        if write:
            run._lock()
        return run

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.resolve().name

    @property
    def spec(self) -> dict[str, Any]:
        """The spec as it was given to `create`."""
        record = self.read_json("spec.json")
        if not isinstance(record, dict) or not isinstance(record.get("spec"), dict):
            raise MemupError(f"{self.path / 'spec.json'} is not the spec of a run")
        return record["spec"]

    @property
    def checkpoints(self) -> Path:
        """Where checkpoints lie; not made before the first one is written."""
        return self.path / "checkpoints"

    @property
    def report(self) -> Path:
        """Where the report page lies."""
        return self.path / "report.html"

    def append(self, kind: Kind, row: Mapping[str, Any]) -> None:
        """Add one row; it is on disk (for other processes to see) when this returns.

        Args:
            kind: "metrics" or "eval".
            row: numbers, texts, lists and dicts of them; NaN and infinities become null.
        """
        append_row(self.path / f"{kind}.jsonl", row)

    def rows(self, kind: Kind) -> list[dict[str, Any]]:
        """Return all rows; a cut-off last line is left out.

        Raises:
            MemupError: a line in the middle is not JSON.
        """
        return read_rows(self.path / f"{kind}.jsonl")

    def truncate(self, kind: Kind, count: int) -> int:
        """Keep the first `count` rows: what an exact resume does before it writes them again.

        Returns:
            How many rows are left; fewer than `count` where there were fewer.
        """
        return keep_rows(self.path / f"{kind}.jsonl", count)

    def set_status(
        self, state: str, phase: str | None = None, error: str | None = None, **more: Any
    ) -> None:
        """Write status.json.

        Args:
            state: "running", "done", "failed" or "interrupted".
            phase: the phase it is in.
            error: the one line that ended it.
            more: whatever else a watcher should see.
        """
        status = {"state": state, "phase": phase, "updated": _now(), **more}
        self.write_json("status.json", status | ({"error": error} if error else {}))

    def status(self) -> dict[str, Any]:
        """Return what `set_status` wrote last, or state "unknown" before its first call."""
        if not (self.path / "status.json").exists():
            return {"state": "unknown", "phase": None, "updated": None}
        return self.read_json("status.json")

    def write_json(self, name: str, value: Any) -> None:
        """Write a file of this directory so that readers see the old or the new one, whole."""
        write_json(self.path / name, value)

    def read_json(self, name: str) -> Any:
        """Read a file of this directory.

        Raises:
            MemupError: it is missing, unreadable or cut off.
        """
        return read_json(self.path / name)

    def in_use(self) -> bool:
        """Say whether a process holds this directory for writing now."""
        try:
            fd = os.open(self.path / LOCK, os.O_RDWR)
        except OSError:
            return False
        try:
            return not lock(fd, wait=False)
        finally:
            os.close(fd)

    def close(self) -> None:
        """Let other processes write here. Reading still works."""
        if self._release is not None:
            self._release()
            self._release = None

    def __enter__(self) -> "RunDir":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _lock(self) -> None:
        with writing(self.path / LOCK):
            fd = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        if not lock(fd, wait=False):
            os.close(fd)
            raise MemupError(
                f"{self.path} is in use: another process trains into it; "
                "wait for it, or give --fresh or another --run-dir"
            )
        # The system drops the lock with the descriptor, so a killed process leaves none behind.
        self._release = weakref.finalize(self, os.close, fd)

    def _settle(self, wanted: dict[str, Any]) -> None:
        if (self.path / "spec.json").exists() and not self._failed_at_once():
            _check_equal(self.path, flatten(self.spec), flatten(wanted))
            return
        record = {"spec": wanted, "versions": versions(), "commit": commit(), "created": _now()}
        self.write_json("spec.json", record)

    def _failed_at_once(self) -> bool:
        """Say whether the run failed before it had made anything: its spec may be corrected."""
        made = (self.path / "metrics.jsonl").exists() or any(self.checkpoints.glob("*"))
        return not made and self.status().get("state") == "failed"


def flatten(spec: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested spec with dotted names: {"memory": {"size": 64}} -> {"memory.size": 64}."""
    flat: dict[str, Any] = {}
    for name, value in spec.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide the numbers."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def commit() -> str | None:
    """Return the git commit of memup's source tree, or None where it was installed without one."""
    here = Path(__file__).resolve()
    # A virtual environment may lie in a checkout of something else, hence "is this file tracked".
    for arguments in (["ls-files", "--error-unmatch", here.name], ["rev-parse", "HEAD"]):
        try:
            done = subprocess.run(
                ["git", "-C", here.parent, *arguments], capture_output=True, text=True, timeout=10
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode:
            return None
    return done.stdout.strip()


def _check_equal(path: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    missing = object()
    for name in [*new, *(name for name in old if name not in new)]:
        before, now = old.get(name, missing), new.get(name, missing)
        if before != now:
            said = ["absent" if v is missing else json.dumps(v) for v in (before, now)]
            raise MemupError(
                f"{path} holds a run with {name}={said[0]}, asked for {said[1]}; "
                "give --fresh to start anew beside it, or another --run-dir"
            )


def _is_unused(path: Path) -> bool:
    """Say whether `path` holds nothing but what a creation killed half-way leaves."""
    if not path.is_dir():
        return False
    names = (entry.name for entry in path.iterdir())
    return all(n == LOCK or (n.startswith(".") and n.endswith(".tmp")) for n in names)


def _free_name(path: Path) -> Path:
    """Make and return the first of `path`-2, `path`-3, ... that does not exist."""
    number = 2
    while True:
        beside = path.with_name(f"{path.name}-{number}")
        with writing(beside), contextlib.suppress(FileExistsError):
            beside.mkdir()
            return beside
        number += 1


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
