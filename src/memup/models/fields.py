"""What users give, checked against the spaces of a model and brought to their dtypes."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from memup.core.errors import MemupError, require
from memup.core.spaces import Box, Dict, Discrete, Leaf, MultiDiscrete, Space, Tuple, children


def convert(name: str, leaf: Leaf, value: Any, axes: tuple[Any, ...], where: str) -> np.ndarray:
    """Return values of a leaf as an array [*axes, *shape] of its dtype.

    Args:
        name: of the field, for errors.
        leaf: what each value must be.
        value: what was given.
        axes: the leading axes: a number, or a text for an axis of any length.
        where: whose field it is, for errors: "sequence 3".

    Raises:
        MemupError: another shape, another kind of number, or a value outside the space.
    """
    array = _array(name, value, where)
    expected = (*axes, *leaf.shape)
    fits = array.ndim == len(expected) and all(
        isinstance(want, str) or have == want
        for have, want in zip(array.shape, expected, strict=True)
    )
    if not fits:
        shape = ", ".join(map(str, expected))
        raise MemupError(
            f"{where}: field {name!r} has shape {list(array.shape)}; expected [{shape}]"
        )
    whole = np.dtype(leaf.dtype).kind in "iub"
    if whole and array.dtype.kind == "f" and not np.array_equal(array, np.round(array)):
        raise MemupError(
            f"{where}: field {name!r} has numbers that are not whole ({array.dtype}); "
            f"expected {leaf.dtype}"
        )
    _check_range(name, leaf, array, where)
    return array.astype(leaf.dtype, copy=False)


def _array(name: str, value: Any, where: str) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.empty(0, object)
    require(
        array.dtype.kind in "biuf",
        f"{where}: field {name!r} has dtype {array.dtype}; expected booleans or numbers",
    )
    return array


def _check_range(name: str, leaf: Leaf, array: np.ndarray, where: str) -> None:
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise MemupError(f"{where}: field {name!r} is not finite; expected numbers")
    if not array.size:
        return
    low, high = _range(leaf)
    wrong = (array < low) | (array > high)
    if wrong.any():
        span = f"{np.min(low):g} to {np.max(high):g}"
        raise MemupError(
            f"{where}: field {name!r} holds {array[wrong].flat[0]}; expected {span}, as in training"
        )


def _range(leaf: Leaf) -> tuple[Any, Any]:
    """Return the least and greatest value; a Box of floats may hold more than training saw."""
    if isinstance(leaf, Discrete):
        return 0, leaf.n - 1
    if isinstance(leaf, MultiDiscrete):
        return 0, np.asarray(leaf.nvec) - 1
    if isinstance(leaf, Box):
        kind = np.dtype(leaf.dtype)
        if kind.kind in "iu":
            return np.iinfo(kind).min, np.iinfo(kind).max
        return -np.inf, np.inf
    return 0, 1


def leaves_of(space: Space, value: Any, where: str, prefix: str = "obs") -> dict[str, Any]:
    """Name the leaves of a value, nested as its space is.

    Raises:
        MemupError: it is nested otherwise.
    """
    parts = children(space)
    if not isinstance(space, Dict | Tuple):
        return {prefix: value}
    found: dict[str, Any] = {}
    for name, part in parts:
        inner = _part(space, value, name)
        if inner is None:
            has = sorted(map(str, value)) if isinstance(value, Mapping) else type(value).__name__
            raise MemupError(f"{where}: no field '{prefix}.{name}'; found {has}")
        found |= leaves_of(part, inner, where, f"{prefix}.{name}")
    return found


def _part(space: Space, value: Any, name: str) -> Any:
    if isinstance(space, Dict):
        return value.get(name) if isinstance(value, Mapping) else None
    whole = isinstance(value, tuple | list) and len(value) == len(space.spaces)  # type: ignore[union-attr]
    return value[int(name)] if whole else None
