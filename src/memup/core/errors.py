"""Errors that users see: one line with the value, what was expected and the nearest valid name."""

import difflib
from collections.abc import Iterable


class MemupError(Exception):
    """A mistake in what the user gave. The command line prints its message and exits with 2."""


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> MemupError:
    """Make the error for a name that is in no table.

    Args:
        kind: what the name should have been, such as "memory".
        name: what was given.
        valid: the names that exist.

    Returns:
        An error that names the nearest valid name, or all of them when none is near.
    """
    names = sorted(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"expected one of: {', '.join(names)}"
    return MemupError(f"unknown {kind} {name!r}; {hint}")


def require(condition: bool, message: str) -> None:
    """Raise MemupError with `message` unless `condition` holds."""
    if not condition:
        raise MemupError(message)
