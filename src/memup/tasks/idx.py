"""Read IDX files, the format of MNIST."""

import gzip
import math
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from memup.core.errors import MemupError, require

UNSIGNED_BYTES = 8


def read_idx(path: Path) -> UInt8[np.ndarray, "..."]:
    """Read an IDX file of bytes, or one packed by gzip.

    The format: two zero bytes, a byte for the type of the numbers, a byte for the number of axes,
    the size of each as four bytes (the highest first), then the numbers.

    Raises:
        MemupError: it is no such file, or it is cut off.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError, ValueError) as error:
        raise MemupError(f"{path}: cannot be read: {error}; is the file whole?") from None
    require(
        len(raw) >= 4 and raw[:2] == b"\0\0" and raw[2] == UNSIGNED_BYTES and raw[3] > 0,
        f"{path}: is no IDX file of bytes, as those of MNIST are",
    )
    begin = 4 + 4 * raw[3]
    require(len(raw) >= begin, f"{path}: is cut off within its first {begin} bytes")
    shape = tuple(int(n) for n in np.frombuffer(raw[4:begin], ">u4"))
    need = begin + math.prod(shape)
    require(
        len(raw) == need,
        f"{path}: has {len(raw):,} bytes, expected {need:,} for {' x '.join(map(str, shape))} "
        "numbers: it is cut off or damaged; fetch it again",
    )
    return np.frombuffer(raw, np.uint8, offset=begin).reshape(shape)
