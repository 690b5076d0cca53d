"""The marginal of one number of the observation, and how rare its values are.

One formula for both: whole columns of the store, by numpy, and single steps, on the device.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

LEAST_STD = 0.1


class Marginal(NamedTuple):
    """A record of `memup.data.rarity.measure`.

    Attributes:
        field: the leaf of the observation.
        number: which number of it.
        mean: of the surprise, in nats.
        std: of the surprise.
        values: those that were seen, ascending; none: the marginal is a normal.
        surprise: of these values.
        unseen: surprise of any other.
        shift: mean of the normal.
        scale: its deviation.
    """

    field: str
    number: int
    mean: float = 0.0
    std: float = 1.0
    values: tuple[float, ...] = ()
    surprise: tuple[float, ...] = ()
    unseen: float = 0.0
    shift: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, fact: Mapping[str, Any]) -> "Marginal":
        """Make it from the record, plain JSON."""
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in fact.items()})

    def surprise_of(self, x: Any, xp: Any = np) -> Any:
        """Return -log p of values; `xp` is the module of their arrays, numpy or jax.numpy."""
        if not self.values:
            return 0.5 * ((x - self.shift) / self.scale) ** 2
        values = xp.asarray(self.values)
        place = xp.clip(xp.searchsorted(values, x), 0, len(self.values) - 1)
        # What the sample did not hold at all is rarer than anything in it.
        return xp.where(values[place] == x, xp.asarray(self.surprise)[place], self.unseen)

    def rarity(self, x: Any, xp: Any = np) -> Any:
        """Return by how many deviations the surprise of values is above the mean."""
        return (self.surprise_of(x, xp) - self.mean) / max(self.std, LEAST_STD)
