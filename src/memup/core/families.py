"""Families of things whose ids differ in numbers, such as tmaze-100 and tmaze-1000."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memup.core.errors import MemupError, unknown_name
from memup.core.registry import Entry


@dataclass(frozen=True)
class Family:
    """Things whose ids differ in numbers.

    Attributes:
        entry: the class, its settings and what `memup list` says.
        example: an id of the family.
        pattern: the ids, with the names of settings in angle brackets.
        prefix: how its ids begin; the longest prefix decides the family.
        fixed: settings that the family fixes.
    """

    entry: Entry
    example: str
    pattern: str
    prefix: str
    fixed: tuple[tuple[str, Any], ...] = ()


def parse(
    kind: str,
    families: Sequence[Family],
    name: str,
    examples: Sequence[str],
    finish: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> tuple[Entry, dict[str, Any]]:
    """Find what an id means.

    Args:
        kind: what it should be the id of, for errors.
        families: to look in.
        name: the id.
        examples: ids to name where none of the families is near.
        finish: checks settings together and brings them to their last form.

    Returns:
        The entry, and the settings of its class.

    Raises:
        MemupError: no such id, or a setting out of bounds.
    """
    near = [family for family in families if name.startswith(family.prefix)]
    if not near:
        raise unknown_name(kind, name, examples)
    longest = max(len(family.prefix) for family in near)
    near = [family for family in near if len(family.prefix) == longest]
    for family in near:
        match = re.fullmatch(_regex(family.pattern), name)
        if match:
            return family.entry, _settings(kind, name, family, match.groupdict(), finish)
    forms = " or ".join(f"{family.pattern} (such as {family.example})" for family in near)
    raise MemupError(f"{kind} {name!r}: expected {forms}")


def _regex(pattern: str) -> str:
    # A number may begin with its minus sign, so that the error can speak of a negative length.
    return re.sub(r"<(\w+)>", r"(?P<\1>-?[^-]+)", pattern)


def _settings(
    kind: str,
    name: str,
    family: Family,
    text: Mapping[str, str],
    finish: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    try:
        lower = {n: value.lower() for n, value in text.items()}
        parsed = {n: option.parse(n, lower[n]) for n, option in family.entry.options.items()}
        return finish(parsed) | dict(family.fixed)
    except MemupError as error:
        raise MemupError(f"{kind} {name!r}: {error}") from None
