"""Predictions in one .npz file, written as they come: never are all of them in memory."""

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from memup.core.jsonfiles import writing


class Archive:
    """An .npz file that grows by arrays; `numpy.load` reads it.

    Args:
        file: the open zip file.
    """

    def __init__(self, file: zipfile.ZipFile):
        self._file = file

    def add(self, name: str, array: np.ndarray) -> None:
        """Write one array."""
        with self._file.open(f"{name}.npy", "w", force_zip64=True) as entry:
            np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """Open a new file; it takes its place when all is written, or not at all.

    Raises:
        MemupError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with writing(path):
        try:
            with zipfile.ZipFile(part, "w") as file:
                yield Archive(file)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
