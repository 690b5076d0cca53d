"""Observation and action spaces: what shape the data has.

What a leaf of a space is decides how it is encoded and how it is distributed; nothing else asks.
A space of actions may be None: there are no actions.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from memup.core.errors import MemupError, require

Bound = int | float | tuple[float, ...]


@dataclass(frozen=True)
class Box:
    """Real or integer arrays of one shape.

    Attributes:
        shape: shape of one value.
        dtype: numpy dtype name.
        low: lower bound, of every element or one for each in C order.
        high: upper bound, likewise.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: Bound = -math.inf
    high: Bound = math.inf

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def bounded(self) -> bool:
        """Whether every element has two finite bounds."""
        return bool(np.isfinite(self.low).all() and np.isfinite(self.high).all())


@dataclass(frozen=True)
class Discrete:
    """The integers 0..n-1."""

    n: int
    dtype: str = "int32"

    @property
    def shape(self) -> tuple[int, ...]:
        """A scalar."""
        return ()

    @property
    def size(self) -> int:
        """Number of floats of its one-hot code."""
        return self.n


@dataclass(frozen=True)
class MultiDiscrete:
    """Several integers, the i-th of them 0..nvec[i]-1."""

    nvec: tuple[int, ...]
    dtype: str = "int32"

    @property
    def shape(self) -> tuple[int, ...]:
        """A vector."""
        return (len(self.nvec),)

    @property
    def size(self) -> int:
        """Number of floats of the one-hot codes, laid end to end."""
        return sum(self.nvec)


@dataclass(frozen=True)
class MultiBinary:
    """n flags, each 0 or 1."""

    n: int
    dtype: str = "int8"

    @property
    def shape(self) -> tuple[int, ...]:
        """A vector."""
        return (self.n,)

    @property
    def size(self) -> int:
        """Number of flags."""
        return self.n


@dataclass(frozen=True)
class Dict:
    """Named spaces, read in the order of their names."""

    spaces: Mapping[str, "Space"] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of floats of all codes."""
        return sum(space.size for space in self.spaces.values())


@dataclass(frozen=True)
class Tuple:
    """Spaces in a row; a value is a tuple."""

    spaces: tuple["Space", ...] = ()

    @property
    def size(self) -> int:
        """Number of floats of all codes."""
        return sum(space.size for space in self.spaces)


Leaf = Box | Discrete | MultiDiscrete | MultiBinary
Space = Leaf | Dict | Tuple
LEAVES: dict[str, type] = {
    kind.__name__: kind for kind in (Box, Discrete, MultiDiscrete, MultiBinary)
}


def children(space: Space) -> list[tuple[str, "Space"]]:
    """Return the named parts of a Dict or Tuple in order; none of a leaf."""
    if isinstance(space, Dict):
        return sorted(space.spaces.items())
    if isinstance(space, Tuple):
        return [(str(i), part) for i, part in enumerate(space.spaces)]
    return []


def _part(space: Space, value: Any, name: str) -> Any:
    return value[int(name) if isinstance(space, Tuple) else name]


def _nest(space: Space, parts: Iterator[Any]) -> Any:
    """Put the parts of a Dict or Tuple together, given in the order of `children`."""
    if isinstance(space, Tuple):
        return tuple(parts)
    return dict(zip(sorted(space.spaces), parts, strict=True))  # type: ignore[union-attr]


def flatten(space: Space, prefix: str = "obs") -> dict[str, Leaf]:
    """Name every leaf of a space: {"obs": Box} or {"obs.cue": Discrete, "obs.0": Box}.

    Raises:
        MemupError: two leaves have one name, as a key has a dot in it.
    """
    if not isinstance(space, Dict | Tuple):
        return {prefix: space}
    leaves: dict[str, Leaf] = {}
    for name, part in children(space):
        inner = flatten(part, f"{prefix}.{name}")
        twice = leaves.keys() & inner.keys()
        require(not twice, f"space: two leaves are called {min(twice, default='')!r}; rename a key")
        leaves |= inner
    return leaves


def split(space: Space, tree: Any, prefix: str = "obs") -> dict[str, Any]:
    """Name every leaf of a value as `flatten` names those of its space."""
    if not isinstance(space, Dict | Tuple):
        return {prefix: tree}
    leaves: dict[str, Any] = {}
    for name, part in children(space):
        leaves |= split(part, _part(space, tree, name), f"{prefix}.{name}")
    return leaves


def join(space: Space, leaves: Mapping[str, Any], prefix: str = "obs") -> Any:
    """Undo `split`."""
    if not isinstance(space, Dict | Tuple):
        return leaves[prefix]
    parts = (join(part, leaves, f"{prefix}.{name}") for name, part in children(space))
    return _nest(space, parts)


def map_leaves(make: Callable[[Leaf], Any], space: Space) -> Any:
    """Return a value of a space whose leaves are made from those of the space."""
    if not isinstance(space, Dict | Tuple):
        return make(space)
    return _nest(space, (map_leaves(make, part) for _, part in children(space)))


def zeros(space: Space | None, shape: tuple[int, ...] = ()) -> Any:
    """Return a value of zeros with leading axes `shape`; an empty tuple where there is no space."""
    if space is None:
        return ()
    return map_leaves(lambda leaf: np.zeros((*shape, *leaf.shape), leaf.dtype), space)


def leaf_bytes(space: Space) -> int:
    """Return the bytes of one value as it is stored."""
    leaves = flatten(space).values()
    return sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in leaves)


def steps_within(space: Space, most: int, room: int = 1 << 28) -> int:
    """Return how many observations, `most` or fewer, take at most `room` bytes as two floats each.

    A network reads floats and makes others of them, whatever few bytes an image is stored in.
    """
    numbers = sum(math.prod(leaf.shape) for leaf in flatten(space).values())
    return max(1, min(most, room // (8 * max(numbers, 1))))


def to_json(space: Space | None) -> Any:
    """Return what `from_json` makes the space of again."""
    match space:
        case None:
            return None
        case Dict():
            return {"kind": "Dict", "spaces": {n: to_json(s) for n, s in children(space)}}
        case Tuple():
            return {"kind": "Tuple", "spaces": [to_json(s) for s in space.spaces]}
        case Box():
            bounds = {"low": _bound(space.low), "high": _bound(space.high)}
            return {"kind": "Box", "shape": list(space.shape), "dtype": space.dtype, **bounds}
        case MultiDiscrete():
            return {"kind": "MultiDiscrete", "nvec": list(space.nvec), "dtype": space.dtype}
    return {"kind": type(space).__name__, "n": space.n, "dtype": space.dtype}


def from_json(about: Any) -> Space | None:
    """Make a space of what `to_json` returned.

    Raises:
        MemupError: it describes no space.
    """
    if about is None:
        return None
    try:
        kind, more = about["kind"], {n: v for n, v in about.items() if n != "kind"}
        if kind == "Dict":
            return Dict({str(n): _some(from_json(s)) for n, s in more["spaces"].items()})
        if kind == "Tuple":
            return Tuple(tuple(_some(from_json(s)) for s in more["spaces"]))
        made = {n: tuple(v) if isinstance(v, list) else v for n, v in more.items()}
        made |= {n: _unbound(made[n]) for n in ("low", "high") if n in made}
        return LEAVES[kind](**made)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise MemupError(f"not a space: {about!r} ({error})") from None


def _bound(bound: Bound) -> Any:
    """Return bounds as JSON holds them, which knows no infinities."""
    if isinstance(bound, tuple):
        return [_bound(b) for b in bound]
    return bound if math.isfinite(bound) else str(bound)


def _unbound(bound: Any) -> Bound:
    if isinstance(bound, tuple):
        return tuple(float(b) for b in bound)
    return float(bound) if isinstance(bound, str) else bound


def _some(space: Space | None) -> Space:
    require(space is not None, "not a space: a part of a Dict or Tuple is None")
    return space  # type: ignore[return-value]


def require_discrete(space: Space | None, what: str) -> int:
    """Return the number of actions, or say that `what` has another kind of action space."""
    if not isinstance(space, Discrete):
        raise MemupError(
            f"{what}: actions must be discrete, but its action space is {space}; every agent "
            "chooses among numbered actions: wrap the environment so that it offers some"
        )
    return space.n
