"""Observation and action spaces: what shape the data has, and how it becomes a float vector."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from memup.core.errors import MemupError


@dataclass(frozen=True)
class Box:
    """Real or integer arrays of one shape.

    Attributes:
        shape: shape of one observation.
        dtype: numpy dtype name.
        low: lower bound of every element.
        high: upper bound of every element.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: int | float = -math.inf
    high: int | float = math.inf

    @property
    def size(self) -> int:
        """Number of floats after encoding."""
        return math.prod(self.shape)


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
        """Number of floats after one-hot encoding."""
        return self.n


@dataclass(frozen=True)
class Dict:
    """Named spaces, read in the order of their names."""

    spaces: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Number of floats after encoding."""
        return sum(space.size for space in self.spaces.values())


Space = Box | Discrete | Dict


def flatten(space: Space, prefix: str = "obs") -> dict[str, Box | Discrete]:
    """Name every leaf of a space: {"obs": Box} or {"obs.cue": Discrete, "obs.noise": Box}."""
    if not isinstance(space, Dict):
        return {prefix: space}
    leaves: dict[str, Box | Discrete] = {}
    for name in sorted(space.spaces):
        leaves |= flatten(space.spaces[name], f"{prefix}.{name}")
    return leaves


def split(space: Space, tree: Any, prefix: str = "obs") -> dict[str, Any]:
    """Name every leaf of an observation as `flatten` names those of its space."""
    if not isinstance(space, Dict):
        return {prefix: tree}
    leaves: dict[str, Any] = {}
    for name in sorted(space.spaces):
        leaves |= split(space.spaces[name], tree[name], f"{prefix}.{name}")
    return leaves


def join(space: Space, leaves: Mapping[str, Any], prefix: str = "obs") -> Any:
    """Undo `split`."""
    if not isinstance(space, Dict):
        return leaves[prefix]
    return {n: join(s, leaves, f"{prefix}.{n}") for n, s in sorted(space.spaces.items())}


def require_discrete(space: Space, what: str) -> int:
    """Return the number of actions, or say that `what` has another kind of action space."""
    if not isinstance(space, Discrete):
        raise MemupError(
            f"{what}: actions must be discrete, but its action space is {space}; every agent "
            "chooses among numbered actions: wrap the environment so that it offers some"
        )
    return space.n
