"""Tables of names: what exists, its options and where its class is. Importing one is cheap."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from memup.core.errors import unknown_name
from memup.core.options import Config, Option, options_of


@dataclass(frozen=True)
class Entry:
    """One line of a table.

    Attributes:
        factory: "module:Name" of the class or function, imported when it is used.
        summary: one line for `memup list`.
        config: dataclass of its options (memup.core.options); of an environment or a task, whose
            options are the numbers in its id, they themselves by name.
        paper: where it comes from.
        parameters: trained numbers of a memory at its default options, `INPUT_SIZE` floats a
            step. Written down, so that a list needs no jax; a test counts them.
        state_numbers: numbers that it carries from step to step.
        fields: fields of a run whose defaults are others with this entry.
    """

    factory: str
    summary: str
    config: Any = Config
    paper: str = ""
    parameters: int | None = None
    state_numbers: int | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def options(self) -> dict[str, Option]:
        """Its options by name."""
        return options_of(self.config)

    def load(self) -> Any:
        """Import and return the class or function."""
        module, name = self.factory.split(":")
        return getattr(importlib.import_module(module), name)

    def make(self, parts: Any, options: Mapping[str, Any]) -> Any:
        """Make the thing.

        Args:
            parts: what a run gives to all things of the table.
            options: a value for every option of the entry, by name; others are not looked at.
        """
        return self.load().make(parts, **{name: options[name] for name in self.options})

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
