"""Read the spaces of episodes off the fields of a store that does not say what they are."""

import numpy as np

from memup.core.errors import MemupError, require
from memup.core.spaces import Box, Dict, Discrete, Leaf, MultiDiscrete, Space
from memup.data.store import EpisodeStore

MOST_CATEGORIES = 4096


def infer_spaces(store: EpisodeStore) -> tuple[Space, Space | None]:
    """Infer observation and action space.

    Whole numbers without an axis are categories if none is negative or 4,096 or more, else numbers.
    Actions are categories, several of them, or real numbers; None without actions and rewards.

    Raises:
        MemupError: no observations, "obs" beside "obs.x", or a field that networks cannot read.
    """
    names = [n for n in store.fields if n == "obs" or n.startswith("obs.")]
    require(bool(names), f"the store has no field 'obs'; it has {', '.join(store.fields)}")
    require(
        "obs" not in names or len(names) == 1,
        f"the store has the fields 'obs' and {names[-1]!r}: expected one of the two forms; "
        "rename 'obs' to 'obs.main'",
    )
    leaves = {name.removeprefix("obs."): _observed(store, name) for name in names}
    space: Space = leaves["obs"] if names == ["obs"] else Dict(leaves)
    played = {"action", "reward"} <= set(store.fields)
    return space, _acted(store, "action") if played else None


def _observed(store: EpisodeStore, name: str) -> Leaf:
    dtype, shape = _checked(store, name)
    if not shape and dtype.kind in "iu":
        low, high = _range(store, name)
        if low >= 0 and high < MOST_CATEGORIES:
            return Discrete(high + 1)
    return Box(tuple(shape), dtype.name)


def _acted(store: EpisodeStore, name: str) -> Leaf:
    dtype, shape = _checked(store, name)
    if dtype.kind == "f":
        return Box(tuple(shape), dtype.name)
    low, high = _range(store, name)
    require(
        low >= 0 and high < MOST_CATEGORIES,
        f"field {name!r} holds whole numbers from {low} to {high}; expected actions numbered "
        f"0..{MOST_CATEGORIES - 1}, or floats",
    )
    if not shape:
        return Discrete(high + 1)
    require(len(shape) == 1, f"field {name!r} is {list(shape)} a step; expected [] or [A]")
    return MultiDiscrete((high + 1,) * shape[0])


def _checked(store: EpisodeStore, name: str) -> tuple[np.dtype, tuple[int, ...]]:
    dtype, shape = store.fields[name]
    wrong = dtype.kind not in "biuf" or dtype.itemsize > 8
    if wrong:
        raise MemupError(f"field {name!r} is {dtype}: expected real numbers of at most 64 bits")
    require(0 not in shape, f"field {name!r} is {list(shape)} a step: it holds nothing; leave it")
    return np.dtype(dtype).newbyteorder("="), tuple(shape)


def _range(store: EpisodeStore, name: str) -> tuple[int, int]:
    parts = [store.episode(int(i))[name] for i in store.ids]
    return min(int(p.min()) for p in parts), max(int(p.max()) for p in parts)
