"""Selectors by name."""

from collections.abc import Mapping
from typing import Any

from memup.core.registry import find
from memup.method.selectors.base import AbstractSelector, SelectorParts
from memup.method.selectors.composite import Composite
from memup.method.selectors.table import SELECTORS


def make_selector(names: str, parts: SelectorParts, options: Mapping[str, Any]) -> AbstractSelector:
    """Make a selector; several names joined by "+" make a composite.

    Args:
        names: of the table.
        parts: what the run has.
        options: values of the entries' options, by name.

    Raises:
        MemupError: there is no such selector.
    """
    made = [find(SELECTORS, "selector", name).make(parts, options) for name in names.split("+")]
    return made[0] if len(made) == 1 else Composite(made)
