"""How numbers are written for people: the same on the terminal and on the page."""

from collections.abc import Sequence
from typing import Any

Number = int | float


def number(value: Number | None) -> str:
    """Write a number with three digits that matter: 0.123, 12.3, 1,234; "-" where there is none."""
    if value is None:
        return "-"
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def percent(share: Number | None) -> str:
    """Write a share as a percentage; a share that is not quite all is never written as 100 %."""
    if share is None:
        return "-"
    digits = 1 if 0.99 < share < 1 or 0 < share < 0.01 else 0
    return f"{100 * share:.{digits}f} %"


def seconds(value: Number | None) -> str:
    """Write a duration in the unit that reads best: 0.4 s, 43 s, 12 min, 3.4 h."""
    if value is None:
        return "-"
    if value < 10:
        return f"{value:.1f} s"
    if value < 120:
        return f"{value:.0f} s"
    if value < 7200:
        return f"{value / 60:.0f} min"
    return f"{value / 3600:.1f} h"


def bounds(interval: Any) -> tuple[Number, Number] | None:
    """Return an interval as a pair, or None where it is missing or not finite."""
    if not isinstance(interval, Sequence) or len(interval) != 2 or None in interval:
        return None
    return interval[0], interval[1]
