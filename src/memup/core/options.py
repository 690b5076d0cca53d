"""Options: what can be set, each defined once, as a field of its owner's dataclass.

    @dataclass(frozen=True)
    class LSTMConfig(Config):
        size: int = option(64, "units of each layer", low=1)

`options_of(LSTMConfig)` is what tables, help, spec.json and docs/options.md are made from. Files of
such classes import no jax.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from memup.core.errors import MemupError, unknown_name

LARGEST = 2**31 - 1
"""Of whole numbers that name no bound of their own: what fits into 32 bits."""


@dataclass(frozen=True)
class Option:
    """One setting.

    Attributes:
        default: its value when none is given; its type is the option's type.
        doc: one line for `--help`, which stands alone.
        low: smallest valid number, if there is one.
        high: largest valid number; None: `LARGEST` of whole numbers, any finite one of others.
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
        high = LARGEST if kind is int and self.high is None else self.high
        if self.choices and value not in self.choices:
            raise unknown_name(name, str(value), self.choices)
        if self.low is not None and not value >= self.low:
            raise MemupError(f"{name}={value}: expected at least {self.low}")
        if high is not None and not value <= high:
            raise MemupError(f"{name}={value}: expected at most {high}")
        return value

    def takes(self, value: Any) -> bool:
        """Say whether `parse` would return this value."""
        try:
            self.parse("", value)
        except MemupError:
            return False
        return True


def option(
    default: Any,
    doc: str,
    *,
    low: int | float | None = None,
    high: int | float | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """Return a dataclass field that is an option; see `Option`."""
    return field(default=default, metadata={"option": Option(default, doc, low, high, choices)})


@dataclass(frozen=True)
class Config:
    """Base of the dataclasses whose fields are options; this one has none."""

    def check(self, run: Mapping[str, Any]) -> None:
        """Raise a MemupError where these options do not fit together, or not into a run.

        Args:
            run: every field of the run, resolved: `run["method.window"]`.
        """


def options_of(config: type[Config] | Mapping[str, Option]) -> dict[str, Option]:
    """Return the options that a dataclass defines, by name, in their order.

    Args:
        config: a dataclass whose fields are made by `option`; a subclass may give a field another
            default by naming it again. A mapping is returned as it is.
    """
    if isinstance(config, Mapping):
        return dict(config)
    return {f.name: replace(f.metadata["option"], default=f.default) for f in fields(config)}


def _convert(name: str, value: Any, kind: type) -> Any:
    wrong = MemupError(f"{name}={value!r}: expected {kind.__name__}")
    if kind is str:
        if isinstance(value, str | os.PathLike):
            return os.fspath(value)
        raise wrong
    if kind is bool:
        if isinstance(value, bool):
            return value
        if str(value).lower() in {"true", "false", "1", "0", "yes", "no"}:
            return str(value).lower() in {"true", "1", "yes"}
        raise wrong
    if isinstance(value, bool) or (kind is int and isinstance(value, float) and value % 1):
        raise wrong
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        raise wrong from None
    if kind is float and not math.isfinite(number):
        raise MemupError(f"{name}={value}: expected a finite number")
    return number
