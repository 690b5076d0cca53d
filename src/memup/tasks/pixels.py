"""Permuted pixels: classify an image whose pixels are shown one by one, in a shuffled order."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, UInt8

from memup.core.errors import MemupError, require
from memup.core.spaces import Box
from memup.tasks.base import AbstractTask, Sequences
from memup.tasks.idx import read_idx

SIDE = 28
# The shuffled order is part of the task: the same for all images, runs and seeds.
ORDER_SEED = 784
TEST_SHARE = 6


class Images(NamedTuple):
    """Images and their classes.

    Attributes:
        train: [N, 28, 28].
        train_class: [N].
        test: [M, 28, 28].
        test_class: [M].
    """

    train: UInt8[np.ndarray, "N 28 28"]
    train_class: Int[np.ndarray, " N"]
    test: UInt8[np.ndarray, "M 28 28"]
    test_class: Int[np.ndarray, " M"]


class PermutedPixels(AbstractTask):
    """784 steps of one pixel each; the last one asks for the class, one of ten (Le et al. 2015).

    Args:
        folder: has the four IDX files of MNIST; without one, scikit-learn's 1,797 digits of 8 x 8
            are enlarged, a sixth of them kept for tests.
    """

    dense = False
    finite = True

    def __init__(self, folder: str = ""):
        self.folder = folder
        self.order = np.random.default_rng(ORDER_SEED).permutation(SIDE * SIDE)

    @property
    def space(self) -> Box:
        """One pixel."""
        return Box((1,), "uint8", 0, 255)

    @property
    def steps(self) -> int:
        """784."""
        return SIDE * SIDE

    def draw(self, count: int, rng: np.random.Generator, test: bool = False) -> Sequences:
        """See AbstractTask."""
        images = mnist(self.folder) if self.folder else digits()
        pool = (images.test, images.test_class) if test else (images.train, images.train_class)
        chosen = rng.permutation(len(pool[0]))[:count]
        pixels = pool[0][chosen].reshape(len(chosen), -1)[:, self.order]
        label = np.full(pixels.shape, -1, np.int8)
        label[:, -1] = pool[1][chosen]
        return Sequences({"obs": pixels[..., None]}, label, label >= 0)


@cache
def digits() -> Images:
    """Return scikit-learn's digits, enlarged to 28 x 28 by linear interpolation.

    Raises:
        MemupError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MemupError(
            "task 'permuted-pixels': scikit-learn, which has the digits, is not installed; "
            "pip install 'memup[digits]', or permuted-pixels:FOLDER with the files of MNIST"
        ) from None
    found = load_digits()
    large = enlarge(found.images / 16, SIDE)
    pixels, kind = np.round(255 * large).astype(np.uint8), found.target
    test = np.random.default_rng(ORDER_SEED).permutation(len(pixels)) % TEST_SHARE == 0
    return Images(pixels[~test], kind[~test], pixels[test], kind[test])


def enlarge(images: np.ndarray, side: int) -> np.ndarray:
    """Enlarge square images [N, S, S] to [N, side, side] by linear interpolation."""
    small = images.shape[-1]
    at = (np.arange(side) + 0.5) * small / side - 0.5
    weight = np.maximum(0, 1 - np.abs(np.clip(at, 0, small - 1)[:, None] - np.arange(small)))
    return np.einsum("ia,nab,jb->nij", weight, images, weight)


@cache
def mnist(folder: str) -> Images:
    """Read MNIST's four files, packed by gzip or not.

    Raises:
        MemupError: one is missing, cut off or of another shape.
    """
    train, test = (_part(Path(folder), name) for name in ("train", "t10k"))
    return Images(*train, *test)


def _part(folder: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    images = read_idx(_file(folder, f"{name}-images-idx3-ubyte"))
    kinds = read_idx(_file(folder, f"{name}-labels-idx1-ubyte"))
    require(
        images.shape[1:] == (SIDE, SIDE) and kinds.shape == images.shape[:1],
        f"{folder}: {name} has images {images.shape} and labels {kinds.shape}; expected "
        f"N images of {SIDE} x {SIDE} and N labels",
    )
    return images, kinds.astype(np.int64)


def _file(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise MemupError(f"{folder}: there is no {name} or {name}.gz, one of MNIST's four files")
