"""When to stop: a held-out loss that has stopped improving."""

from typing import NamedTuple

import numpy as np


class Plateau(NamedTuple):
    """What a stopping rule remembers; arrays, so that a checkpoint holds it.

    Attributes:
        best: lowest held-out loss so far.
        stalled: checks since it was reached.
    """

    best: np.ndarray
    stalled: np.ndarray

    @classmethod
    def start(cls) -> "Plateau":
        """Nothing seen yet."""
        return cls(np.array(np.inf), np.array(0))

    def see(self, loss: float, least: float = 0.01) -> tuple["Plateau", bool]:
        """Take note of a check.

        Args:
            loss: held-out loss.
            least: share of the best loss that counts as an improvement.

        Returns:
            The new memory, and whether this is the best check so far.
        """
        bar = self.best - least * abs(self.best) if np.isfinite(self.best) else np.inf
        better = bool(loss < bar)
        if better:
            return Plateau(np.array(loss), np.array(0)), True
        return Plateau(self.best, self.stalled + 1), False
