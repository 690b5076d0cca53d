"""The order `auto`: the one that suits the episodes."""

from typing import Any

import numpy as np
from jaxtyping import Int

from memup.method.orders.base import AbstractOrder, OrderParts
from memup.method.orders.table import ORDERS


class Auto:
    """No order of its own: `make` returns another one."""

    @classmethod
    def make(cls, parts: OrderParts, **options: Any) -> AbstractOrder:
        """Make the order that suits; which one is a fact, so that a run that goes on keeps it."""
        if "order" not in parts.facts:
            visited = options["segments"] * (options["segment_length"] or parts.window)
            name = suitable(
                parts.lengths(),
                parts.window,
                visited,
                growing=parts.growing,
                rarity=bool(parts.facts.get("rarity")),
            )
            parts.facts["order"] = name
        made: AbstractOrder = ORDERS[parts.facts["order"]].make(parts, options)
        return made


def suitable(
    lengths: Int[np.ndarray, " N"], window: int, visited: int, *, growing: bool, rarity: bool
) -> str:
    """Name the order that suits episodes.

    Jumping pays where episodes are long enough for it to skip something, as all of them must be,
    and where something says which steps not to skip: of images nothing is known to be rare.

    Args:
        lengths: steps of the stored episodes.
        window: R, steps of a window.
        visited: steps of an episode that `jump` would visit.
        growing: whether episodes are still to come, of lengths that nobody knows.
        rarity: whether it is known how rare any part of an observation is.
    """
    long = lengths.mean() > visited and lengths.min() >= window
    return "jump" if long and rarity and not growing else "staggered"
