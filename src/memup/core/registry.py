"""Tables of names: what exists, its options and where its class is. Importing one is cheap."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from memup.core.errors import MemupError, unknown_name


@dataclass(frozen=True)
class Option:
    """One setting.

    Attributes:
        default: its value when none is given; its type is the option's type.
        doc: one line for `--help`.
        low: smallest valid number, if there is one.
        high: largest valid number, if there is one.
        choices: the valid values, if they are few.
    """

    default: Any
    doc: str
    low: int | float | None = None
    high: int | float | None = None
    choices: tuple[str, ...] = ()

    def parse(self, name: str, value: Any) -> Any:
        """Return `value` (text or already typed) as this option's type, checked.

        Raises:
            MemupError: it is of another type, out of bounds or not a choice.
        """
        kind = type(self.default)
        value = _convert(name, value, kind)
        if self.choices and value not in self.choices:
            raise unknown_name(name, str(value), self.choices)
        if self.low is not None and not value >= self.low:
            raise MemupError(f"{name}={value}: expected at least {self.low}")
        if self.high is not None and not value <= self.high:
            raise MemupError(f"{name}={value}: expected at most {self.high}")
        return value

    def takes(self, value: Any) -> bool:
        """Say whether `parse` would return this value."""
        try:
            self.parse("", value)
        except MemupError:
            return False
        return True


def _convert(name: str, value: Any, kind: type) -> Any:
    wrong = MemupError(f"{name}={value!r}: expected {kind.__name__}")
    if kind is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in {"true", "false", "1", "0", "yes", "no"}:
            return str(value).lower() in {"true", "1", "yes"}
        raise wrong
    if isinstance(value, bool) or (kind is int and isinstance(value, float) and value % 1):
        raise wrong
    try:
        return kind(value)
    except (TypeError, ValueError):
        raise wrong from None


@dataclass(frozen=True)
class Entry:
    """One line of a table.

    Attributes:
        factory: "module:Name" of the class or function, imported when it is used.
        summary: one line for `memup list`.
        options: its settings by name.
        paper: where it comes from.
        parameters: trained numbers of a memory at its default options, `INPUT_SIZE` floats a
            step. Written down, so that a list needs no jax; a test counts them.
        state_numbers: numbers that it carries from step to step.
        fields: fields of a run whose defaults are others with this entry.
    """

    factory: str
    summary: str
    options: Mapping[str, Option] = field(default_factory=dict)
    paper: str = ""
    parameters: int | None = None
    state_numbers: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> Any:
        """Import and return the class or function."""
        module, name = self.factory.split(":")
        return getattr(importlib.import_module(module), name)

    def resolve(self, given: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        """Return all options: the given ones checked, the others at their defaults.

        Args:
            given: option name to text or value.
            prefix: how the user writes their common part, such as "memory".

        Raises:
            MemupError: a name that is no option (with the nearest one), or a bad value.
        """
        for name in given:
            if name not in self.options:
                raise unknown_name(
                    "field", f"{prefix}.{name}", [f"{prefix}.{n}" for n in self.options]
                )
        return {
            name: option.parse(f"{prefix}.{name}", given.get(name, option.default))
            for name, option in self.options.items()
        }


def find(table: Mapping[str, Entry], kind: str, name: str) -> Entry:
    """Return the entry called `name`, or raise the error that names the nearest one."""
    if name not in table:
        raise unknown_name(kind, name, table)
    return table[name]
