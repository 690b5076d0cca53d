"""Checkpoints: one file each, whose arrays are named by their place in a tree.

Beside them is what the run knows beside its arrays.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.core.errors import require
from memup.runs import tensorfile

KIND, VERSION = "checkpoint", "1"


def save(path: Path, tree: PyTree, about: Mapping[str, Any]) -> None:
    """Write a tree of arrays and JSON beside it; a crash leaves the old file or the new one.

    Raises:
        MemupError: it cannot be written, for example because the disk is full.
    """
    arrays = {name: _plain(leaf) for name, leaf in _named(tree).items()}
    tensorfile.write(path, KIND, VERSION, arrays, about)


def about(path: Path) -> dict[str, Any]:
    """Return the JSON of a checkpoint.

    Raises:
        MemupError: there is none, it is cut off or of another version.
    """
    return _open(path)[1]


def load(path: Path, like: PyTree) -> PyTree:
    """Return the tree of a checkpoint.

    Args:
        path: the file.
        like: a tree of the same structure, shapes and dtypes.

    Raises:
        MemupError: the file is cut off or damaged, or holds another tree.
    """
    arrays, _ = _open(path)
    wanted = _named(like)
    for name, leaf in wanted.items():
        require(name in arrays, f"checkpoint {path} has no {name!r}: it is of another run")
        found, expected = arrays[name], _plain(leaf)
        require(
            found.shape == expected.shape and found.dtype == expected.dtype,
            f"checkpoint {path}: {name} is {found.dtype}{list(found.shape)}, expected "
            f"{expected.dtype}{list(expected.shape)}: it is of another run",
        )
    leaves = [_like(arrays[name], leaf) for name, leaf in wanted.items()]
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _open(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    return tensorfile.read(path, KIND, VERSION)


def _named(tree: PyTree) -> dict[str, Any]:
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return {jax.tree_util.keystr(path).lstrip("."): leaf for path, leaf in leaves}


def _is_key(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _plain(leaf: Any) -> np.ndarray:
    # A copy with at least one axis: a scalar has no bytes view, and donated buffers may vanish.
    array = np.array(jax.random.key_data(leaf) if _is_key(leaf) else leaf)
    return array.reshape(-1) if array.ndim == 0 else np.ascontiguousarray(array)


def _like(array: np.ndarray, leaf: Any) -> Any:
    if _is_key(leaf):
        return jax.random.wrap_key_data(array)
    array = array.reshape(np.shape(leaf))
    return jax.numpy.asarray(array) if isinstance(leaf, jax.Array) else array
