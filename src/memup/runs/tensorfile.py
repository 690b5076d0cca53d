"""Files of named arrays with JSON beside them, in the safetensors format.

Written whole or not at all, and checked by a checksum of all that is in them; no pickle is ever
read.
"""

import contextlib
import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from memup.core.errors import MemupError, require


def write(
    path: Path, kind: str, version: str, arrays: Mapping[str, np.ndarray], about: Mapping[str, Any]
) -> None:
    """Write arrays and JSON beside them; a crash leaves the old file or the new one.

    Args:
        path: the file; its folder is made if it is not there.
        kind: what the file is, such as "checkpoint".
        version: of the format of this kind.
        arrays: by name, C-contiguous, with at least one axis each.
        about: anything that JSON holds.

    Raises:
        MemupError: it cannot be written, for example because the disk is full.
    """
    text = json.dumps(about, sort_keys=True)
    metadata = {"kind": kind, "version": version, "about": text}
    metadata["crc"] = str(_checksum(arrays, text))
    part = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(dict(arrays), part, metadata)
        part.chmod(0o644)  # it was for its owner alone; a model is made to be given away
        os.replace(part, path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise MemupError(f"cannot write {path}: {error}") from None


def read(path: Path, kind: str, version: str) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the JSON of a file.

    Raises:
        MemupError: there is none, it is damaged, or of another kind or version.
    """
    require(path.is_file(), f"no {kind} at {path}")
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (OSError, SafetensorError, ValueError) as error:
        raise MemupError(f"{kind} {path} is damaged or cut off: {error}") from None
    found = metadata.get("kind")
    require(found == kind, f"{path} is no {kind}: it is a {found or 'file of another program'}")
    require(
        metadata.get("version") == version,
        f"{kind} {path} has version {metadata.get('version')!r}, expected {version!r}",
    )
    text = metadata.get("about", "")
    require(
        metadata.get("crc") == str(_checksum(arrays, text)),
        f"{kind} {path} is damaged: its checksum does not match",
    )
    return arrays, json.loads(text)


def _checksum(arrays: Mapping[str, np.ndarray], text: str) -> int:
    crc = zlib.crc32(text.encode())
    for name in sorted(arrays):
        crc = zlib.crc32(np.ascontiguousarray(arrays[name]).view(np.uint8).data, crc)
        crc = zlib.crc32(name.encode(), crc)
    return crc
