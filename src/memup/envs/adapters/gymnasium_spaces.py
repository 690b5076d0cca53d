"""Gymnasium's spaces as ours and ours as Gymnasium's, with their values. No jax here.

Ours are plainer: whole numbers begin at 0, several of them are a vector, and what networks cannot
read (text, graphs, sequences) is not there.
"""

import math
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import gymnasium
import numpy as np
from gymnasium import spaces as theirs

from memup.core.errors import MemupError
from memup.core.spaces import Bound, Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple

USABLE = "Box, Discrete, MultiDiscrete, MultiBinary, or a Dict or Tuple of them"
# Categories are 32-bit numbers, the last of them left for "one more".
MOST_VALUES = 2**31 - 1
# Within it no bound says that float32 merges what differs; mere numbers stay as exact as they come.
EXACT = 1e4


class Conversion(NamedTuple):
    """A space of ours, and what changes a value of one side into one of the other.

    Attributes:
        space: ours.
        convert: of observations, Gymnasium's to ours; of actions, ours to Gymnasium's.
        dropped: names of the leaves that are left out.
    """

    space: Space
    convert: Callable[[Any], Any]
    dropped: tuple[str, ...] = ()


Leaf = Callable[[gymnasium.Space], Conversion | None]


def observations(space: gymnasium.Space, what: str) -> Conversion:
    """Say how observations are read; leaves of a Dict or Tuple that cannot be are left out.

    Args:
        space: of one environment.
        what: how the user wrote the environment, for the error.

    Raises:
        MemupError: nothing of it can be used.
    """
    found = _converted(space, "obs", _read)
    if isinstance(found, Conversion):
        return found
    raise MemupError(f"{what}: observations are {_short(space)}; expected {USABLE}")


def actions(space: gymnasium.Space, what: str) -> Conversion:
    """Say how actions are given to an environment; see `observations`.

    Raises:
        MemupError: a leaf of it can not be used: an environment wants all of an action.
    """
    found = _converted(space, "action", _written)
    if isinstance(found, Conversion) and not found.dropped:
        return found
    which = f", in it {found.dropped[0]!r}" if isinstance(found, Conversion) else ""
    raise MemupError(
        f"{what}: its action space is {_short(space)}{which}; expected {USABLE}: "
        "gymnasium.wrappers.TransformAction can make one of them of it"
    )


def usable(space: gymnasium.Space) -> bool:
    """Say whether networks can read a leaf."""
    match space:
        case theirs.Box():
            return math.prod(space.shape) > 0 and np.dtype(space.dtype).kind in "biuf"
        case theirs.Discrete():
            return bool(space.n < MOST_VALUES)
        case theirs.MultiDiscrete():
            return space.nvec.size > 0 and bool((space.nvec < MOST_VALUES).all())
    return isinstance(space, theirs.MultiBinary)


def _converted(space: gymnasium.Space, name: str, leaf: Leaf) -> Conversion | None:
    """Convert a tree of spaces whose leaves `leaf` converts; None: nothing of it can be used."""
    if not isinstance(space, theirs.Dict | theirs.Tuple):
        return leaf(space) if usable(space) else None
    named = isinstance(space, theirs.Dict)
    keys = sorted(space.spaces, key=str) if named else range(len(space.spaces))
    parts = {key: _converted(space.spaces[key], f"{name}.{key}", leaf) for key in keys}
    kept = {key: part for key, part in parts.items() if part is not None}
    lost = tuple(f"{name}.{key}" for key in keys if parts[key] is None)
    if not kept:
        return None
    dropped = lost + tuple(n for part in kept.values() for n in part.dropped)
    if named:
        return Conversion(Dict({str(k): p.space for k, p in kept.items()}), _fields(kept), dropped)
    return Conversion(Tuple(tuple(p.space for p in kept.values())), _row(kept), dropped)


def _fields(parts: dict[Any, Conversion]) -> Callable[[Any], Any]:
    return lambda value: {str(key): part.convert(value[key]) for key, part in parts.items()}


def _row(parts: dict[Any, Conversion]) -> Callable[[Any], Any]:
    return lambda value: tuple(part.convert(value[key]) for key, part in parts.items())


def _read(space: gymnasium.Space) -> Conversion:
    """Convert a leaf of an observation."""
    ours = _leaf(space)
    kind = np.dtype(ours.dtype)
    start = getattr(space, "start", None)  # type: ignore[attr-defined]
    if start is None:
        return Conversion(ours, lambda value: np.array(value, kind).reshape(ours.shape))
    return Conversion(ours, lambda value: (value - start).astype(kind).reshape(ours.shape))


def _written(space: gymnasium.Space) -> Conversion:
    """Convert a leaf of an action."""
    ours, kind, start = _leaf(space), np.dtype(space.dtype), getattr(space, "start", None)
    match space:
        case theirs.Discrete():
            return Conversion(ours, lambda value: kind.type(int(value) + start))
        case theirs.MultiDiscrete():
            return Conversion(
                ours, lambda value: np.array(value, kind).reshape(space.shape) + start
            )
        case theirs.MultiBinary():
            return Conversion(ours, lambda value: np.array(value, kind).reshape(space.shape))
    # Actions are made on the device. Its float32 may lie beyond a bound of 64 bits.
    ours = Box(ours.shape, "float32" if kind.kind == "f" else ours.dtype, ours.low, ours.high)
    return Conversion(ours, lambda value: np.clip(np.array(value, kind), space.low, space.high))


def _leaf(space: gymnasium.Space) -> Any:
    match space:
        case theirs.Discrete():
            return Discrete(int(space.n))
        case theirs.MultiDiscrete():
            return MultiDiscrete(tuple(int(n) for n in space.nvec.ravel()))
        case theirs.MultiBinary():
            return MultiBinary(math.prod(space.shape))
    assert isinstance(space, theirs.Box)
    return Box(space.shape, _dtype(space), _bound(space.low), _bound(space.high))


def _dtype(space: theirs.Box) -> str:
    """Choose a dtype: the device has 32 bits, the host keeps what they might merge or wrap."""
    kind = np.dtype(space.dtype)
    if kind.itemsize < 4 or kind == np.float32:
        return "int8" if kind.kind == "b" else "float32" if kind.kind == "f" else kind.name
    low, high = float(space.low.min()), float(space.high.max())
    if kind.kind == "f":
        return "float32" if max(-low, high) <= EXACT else "float64"
    if kind.itemsize == 4:
        return kind.name
    return "int32" if max(-low, high) < 2.0**31 else "float64"


def _bound(bound: np.ndarray) -> Bound:
    """Return one number for all elements, or one each."""
    values = [float(b) for b in np.ravel(bound)]
    return values[0] if len(set(values)) == 1 else tuple(values)


def to_gymnasium(space: Space) -> gymnasium.Space:
    """Convert one of our spaces."""
    match space:
        case Dict():
            return theirs.Dict({name: to_gymnasium(s) for name, s in space.spaces.items()})
        case Tuple():
            return theirs.Tuple([to_gymnasium(s) for s in space.spaces])
        case Discrete():
            return theirs.Discrete(space.n)
        case MultiDiscrete():
            return theirs.MultiDiscrete(space.nvec, dtype=np.dtype(space.dtype).type)
        case MultiBinary():
            return theirs.MultiBinary(space.n)
    dtype = np.dtype(space.dtype)
    low, high = (
        np.broadcast_to(np.asarray(b, np.float64), (space.size,)) for b in (space.low, space.high)
    )
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        low, high = np.maximum(low, bounds.min), np.minimum(high, bounds.max)
    shaped = [b.astype(dtype).reshape(space.shape) for b in (low, high)]
    return theirs.Box(*shaped, space.shape, dtype.type)


def named(dropped: Iterable[str]) -> str:
    """Return names in one line, quoted."""
    return ", ".join(map(repr, dropped))


def _short(space: gymnasium.Space) -> str:
    return " ".join(str(space).split())[:200]
