"""What an episode may hold: the checks made before anything is stored."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from memup.core.errors import MemupError, require, unknown_name

Schema = dict[str, tuple[np.dtype, tuple[int, ...]]]
"""Field name to (dtype, trailing shape), in the order of the first episode."""

SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
RESERVED = {"index"}
KINDS = "biufc"


def check_name(name: Any) -> None:
    """Raise MemupError unless `name` can be a file name of the disk format."""
    require(
        isinstance(name, str) and SAFE_NAME.fullmatch(name) is not None,
        f"field name {name!r}: expected at most 100 letters, digits, '.', '_' or '-', "
        "not beginning with '.' or '-'",
    )
    require(name not in RESERVED, f"field name {name!r} is taken by the store; choose another")


def check_block(
    fields: Mapping[str, Any], lengths: np.ndarray, schema: Schema
) -> dict[str, np.ndarray]:
    """Convert concatenated episodes to arrays and check them against what is stored.

    Args:
        fields: name to [sum(lengths), ...].
        lengths: steps of each episode, [n].
        schema: what earlier episodes had; empty before the first.

    Returns:
        The arrays, in the order of the schema.

    Raises:
        MemupError: names, dtypes, shapes or lengths that do not fit, or a number that is not
            finite.
    """
    require(bool(fields), "an episode needs at least one field")
    require(lengths.ndim == 1, f"episode lengths of shape {list(lengths.shape)}: expected [n]")
    require(bool((lengths > 0).all()), "an episode of no steps; expected at least one step each")
    arrays = {name: as_array(name, values) for name, values in fields.items()}
    check_lengths(arrays, int(lengths.sum()))
    if schema:
        check_schema(arrays, schema)
    for name, array in arrays.items():
        check_finite(name, array, lengths)
    return {name: arrays[name] for name in (schema or arrays)}


def as_array(name: str, values: Any) -> np.ndarray:
    """Return `values` as an array [N, ...] of numbers, or say what is wrong with them."""
    check_name(name)
    try:
        array = np.asarray(values)
    except ValueError:
        raise MemupError(f"field {name!r}: its steps differ in shape; expected [N, ...]") from None
    # Not `require`: the text of a long array costs more than storing it.
    if array.ndim == 0:
        raise MemupError(f"field {name!r} is {values!r}; expected one value a step, [N, ...]")
    if array.dtype.kind not in KINDS:
        raise MemupError(f"field {name!r} has dtype {array.dtype}; expected booleans or numbers")
    return array


def check_lengths(arrays: Mapping[str, np.ndarray], steps: int) -> None:
    """Raise MemupError unless every array has `steps` rows."""
    for name, array in arrays.items():
        require(
            len(array) == steps,
            f"field {name!r} has {len(array)} steps; expected {steps}, as the other fields or "
            "the lengths say",
        )


def check_schema(arrays: Mapping[str, np.ndarray], schema: Schema) -> None:
    """Raise MemupError unless the arrays are of the same kind as those stored before."""
    for name in arrays:
        if name not in schema:
            raise unknown_name("field of an episode", name, schema)
    for name, (dtype, tail) in schema.items():
        require(name in arrays, f"the episode lacks field {name!r}; expected {list(schema)}")
        array = arrays[name]
        if array.dtype != dtype or array.shape[1:] != tail:
            raise MemupError(
                f"field {name!r} is {array.dtype} {list(array.shape[1:])} a step; "
                f"expected {dtype} {list(tail)}, as in the first episode"
            )


def check_finite(name: str, array: np.ndarray, lengths: np.ndarray) -> None:
    """Raise MemupError with the place of the first NaN or infinity."""
    if array.dtype.kind not in "fc":
        return
    finite = np.isfinite(array)
    if finite.all():
        return
    row = int(np.argmin(finite.reshape(len(array), -1).all(axis=1)))
    ends = np.cumsum(lengths)
    episode = int(np.searchsorted(ends, row, side="right"))
    step = row - int(ends[episode] - lengths[episode])
    where = f"step {step}" if len(lengths) == 1 else f"step {step} of episode {episode}"
    remedy = "; the field 'labelled' says which steps have one" if name == "label" else ""
    raise MemupError(
        f"field {name!r} is not finite at {where}; expected numbers without NaN, inf{remedy}"
    )


def check_scores(name: str, values: Any, steps: int, schema: Schema) -> np.ndarray:
    """Return `values` as float32 [steps], or say why they cannot be the scores called `name`."""
    check_name(name)
    require(name not in schema, f"scores {name!r}: a field has this name")
    scores = np.asarray(values, np.float32)
    require(
        scores.shape == (steps,),
        f"scores {name!r} of shape {list(scores.shape)}: expected [{steps}], one a step",
    )
    return scores


def schema_of(arrays: Mapping[str, np.ndarray]) -> Schema:
    """Return the kind of each array."""
    return {name: (array.dtype, array.shape[1:]) for name, array in arrays.items()}
