"""The spaces of stored episodes: as the store says, else read off its fields."""

import warnings

import numpy as np

from memup.core.errors import MemupError, require
from memup.core.spaces import Box, Dict, Discrete, Leaf, MultiBinary, MultiDiscrete, Space, flatten
from memup.data.store import EpisodeStore

MOST_CATEGORIES = 4096
# What is read by its name, beside observations, actions and rewards.
KNOWN = {"label", "labelled", "oracle", "value", "terminated", "truncated"}


def infer_spaces(store: EpisodeStore) -> tuple[Space, Space | None]:
    """Return observation and action space; one warning names the fields that nothing reads.

    Where the store does not say them: whole numbers without an axis are categories if none is
    negative or 4,096 or more, else numbers; booleans are flags. Actions are categories, several of
    them, flags or real numbers; None without actions and rewards.

    Raises:
        MemupError: no observations, "obs" beside "obs.x", a field that networks cannot read, or a
            category outside the space that the store says.
    """
    for prefix, known in (("obs", store.spaces.observation), ("action", store.spaces.action)):
        for name, leaf in (flatten(known, prefix) if known is not None else {}).items():
            _check_categories(store, name, leaf)
    seen = store.spaces.observation or _tree(store, "obs")
    require(seen is not None, f"the store has no field 'obs'; it has {', '.join(store.fields)}")
    acted = (store.spaces.action or _tree(store, "action")) if "reward" in store.fields else None
    _tell_unused(store, seen, acted)  # type: ignore[arg-type]
    return seen, acted  # type: ignore[return-value]


def _tree(store: EpisodeStore, prefix: str) -> Space | None:
    """Infer the space of the fields "obs" or "obs.x", of actions likewise; None without any."""
    names = [n for n in store.fields if n == prefix or n.startswith(f"{prefix}.")]
    if not names:
        return None
    require(
        prefix not in names or len(names) == 1,
        f"the store has the fields {prefix!r} and {names[-1]!r}: expected one of the two forms; "
        f"rename {prefix!r} to '{prefix}.main'",
    )
    leaf = _observed if prefix == "obs" else _acted
    leaves = {name.removeprefix(f"{prefix}."): leaf(store, name) for name in names}
    return leaves[prefix] if names == [prefix] else Dict(leaves)


def _observed(store: EpisodeStore, name: str) -> Leaf:
    dtype, shape = _checked(store, name)
    if dtype.kind == "b" and len(shape) <= 1:
        return _flags(shape)
    if not shape and dtype.kind in "iu":
        low, high = _range(store, name)
        if low >= 0 and high < MOST_CATEGORIES:
            return Discrete(high + 1)
    # Long whole numbers become floats, as a device would wrap them.
    wide = dtype.kind in "iu" and dtype.itemsize == 8
    return Box(shape, "float64" if wide else dtype.name)


def _acted(store: EpisodeStore, name: str) -> Leaf:
    dtype, shape = _checked(store, name)
    if dtype.kind == "f":
        return Box(shape, dtype.name)
    require(len(shape) <= 1, f"field {name!r} is {list(shape)} a step; expected [] or [A]")
    if dtype.kind == "b":
        return _flags(shape)
    low, high = _range(store, name)
    require(
        low >= 0 and high < MOST_CATEGORIES,
        f"field {name!r} holds whole numbers from {low} to {high}; expected actions numbered "
        f"0..{MOST_CATEGORIES - 1}, or floats",
    )
    return MultiDiscrete((high + 1,) * shape[0]) if shape else Discrete(high + 1)


def _flags(shape: tuple[int, ...]) -> Leaf:
    return MultiBinary(shape[0]) if shape else Discrete(2)


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


def _check_categories(store: EpisodeStore, name: str, leaf: Leaf) -> None:
    """Refuse values outside a space of categories: their code would be empty."""
    if isinstance(leaf, Box):
        return
    _checked(store, name)
    last = np.asarray(leaf.nvec) - 1 if isinstance(leaf, MultiDiscrete) else 1
    last = leaf.n - 1 if isinstance(leaf, Discrete) else last
    for id in store.ids.tolist():
        values = store.episode(id)[name]
        wrong = (values < 0) | (values > last) | (values != np.round(values))
        if wrong.any():
            found = f"field {name!r} of episode {id} holds {values[wrong].flat[0]}"
            raise MemupError(f"{found}; expected a value of {leaf}, as the store says")


def _tell_unused(store: EpisodeStore, seen: Space, acted: Space | None) -> None:
    used = KNOWN | set(flatten(seen))
    if acted is not None:
        used |= {"reward", *flatten(acted, "action")}
    unused = [repr(name) for name in store.fields if name not in used]
    if unused:
        lone = "'action'" in unused or "'reward'" in unused
        why = "; actions are read together with 'reward' only" if lone else ""
        warnings.warn(f"the store's {', '.join(unused)} is used by nothing{why}", stacklevel=2)
