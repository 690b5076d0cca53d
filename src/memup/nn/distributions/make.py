"""Which distribution a space has, and which one suits data."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from memup.core.errors import MemupError
from memup.core.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Space, Tuple, children
from memup.nn.distributions.base import AbstractDistribution
from memup.nn.distributions.boxes import BoxNormal
from memup.nn.distributions.categories import Bernoullis, Categories
from memup.nn.distributions.joint import Joint
from memup.nn.distributions.outcomes import MAX_CLASSES, Finite, Normal
from memup.nn.distributions.quantile import Quantile

# Values of a whole number up to which a policy gives each a logit, and labels are classes.
MOST_ACTIONS, MOST_LABELS = 512, 4096
FAMILIES: dict[str, type[AbstractDistribution]] = {
    kind.family: kind for kind in (Finite, Normal, Quantile, Categories, Bernoullis, BoxNormal)
}


def distribution_of(space: Space, *, squash: bool = True) -> AbstractDistribution:
    """Make the distribution of a space.

    Args:
        space: any space.
        squash: real numbers stay within the bounds of their Box, as actions must; without, they
            are plain normal numbers (8-bit ones in units of 255), as observations are said.

    Raises:
        MemupError: integers of too many values to give each a logit.
    """
    match space:
        case Discrete():
            return Categories((space.n,), (0,), (), space.dtype)
        case MultiDiscrete():
            return Categories(tuple(space.nvec), (0,) * len(space.nvec), space.shape, space.dtype)
        case MultiBinary():
            return Bernoullis(space.n, space.dtype)
        case Box():
            return _of_box(space, squash)
    parts = children(space)
    names = None if isinstance(space, Tuple) else tuple(name for name, _ in parts)
    return Joint(tuple(distribution_of(part, squash=squash) for _, part in parts), names)


def _of_box(box: Box, squash: bool) -> AbstractDistribution:
    low, high = (_each(bound, box.size) for bound in (box.low, box.high))
    if not np.issubdtype(np.dtype(box.dtype), np.integer):
        if squash:
            return BoxNormal(box.shape, low, high, box.dtype)
        return Normal((0.0,) * box.size, (1.0,) * box.size, box.shape)
    count = [b - a + 1 for a, b in zip(low, high, strict=True)]
    if max(count, default=0) <= (MOST_ACTIONS if squash else MAX_CLASSES):
        whole = [tuple(int(n) for n in numbers) for numbers in (count, low)]
        return Categories(whole[0], whole[1], box.shape, box.dtype)
    if squash:
        raise MemupError(
            f"action space {box}: integers of {max(count):g} values; expected at most "
            f"{MOST_ACTIONS} values each, or a Box of floats"
        )
    unit = 255.0 if box.dtype == "uint8" else 1.0
    return Normal((0.0,) * box.size, (unit,) * box.size, box.shape)


def _each(bound: Any, size: int) -> tuple[float, ...]:
    return tuple(np.broadcast_to(np.asarray(bound, np.float64), (size,)).tolist())


def from_description(description: dict[str, Any]) -> AbstractDistribution:
    """Make a distribution from what its `describe` returned.

    Raises:
        MemupError: it describes none.
    """
    fields = {name: value for name, value in description.items() if name != "family"}
    family = description.get("family")
    try:
        if family == Joint.family:
            names = fields["names"]
            parts = tuple(from_description(part) for part in fields["parts"])
            return Joint(parts, None if names is None else tuple(names))
        return FAMILIES[str(family)].of_fields(fields)
    except (KeyError, TypeError) as error:
        raise MemupError(f"not a distribution: {description!r} ({error})") from None


def numbered(counts: Sequence[int]) -> Finite:
    """Make the family of outcomes whose i-th number is one of 0 .. counts[i] - 1."""
    most = max(counts)
    return Finite(tuple(tuple(float(min(v, n - 1)) for v in range(most)) for n in counts))


def kind_of(distribution: AbstractDistribution) -> str:
    """Say in a few words what outcomes of a family are taken for."""
    values = distribution.classes()
    if values is None:
        return "regression"
    counts = [len(np.unique(row)) for row in values]
    return f"classification, {' x '.join(map(str, counts[:4]))} classes"


def suit(data: Float[np.ndarray, "N O"], family: str = "auto") -> AbstractDistribution:
    """Choose the family that suits data, and its constants.

    Args:
        data: outcomes; a number that is NaN is not known.
        family: "auto" (categorical where every number takes few values, else normal),
            "categorical", "normal" or "quantile" (one number only).

    Returns:
        The family.
    """
    # A number that is never known has no values: any will do.
    known = [c[~np.isnan(c)] if not np.isnan(c).all() else np.zeros(1, c.dtype) for c in data.T]
    mean = np.array([column.mean(dtype=np.float64) for column in known])
    std = np.array([column.std(dtype=np.float64) for column in known])
    std = np.where(std > 1e-6, std, 1.0)
    if family == "quantile":
        return Quantile(float(mean[0]), float(std[0]))
    distinct = [np.unique(column) for column in known]
    most = max(len(column) for column in distinct)
    few = most <= MAX_CLASSES
    if family == "categorical" or (family == "auto" and few):
        padded = [np.pad(c, (0, most - len(c)), mode="edge") for c in distinct]
        return Finite(tuple(tuple(float(v) for v in c) for c in padded))
    return Normal(tuple(float(v) for v in mean), tuple(float(v) for v in std))
