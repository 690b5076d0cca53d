"""The order `staggered`."""

import numpy as np

from memup.method.orders.base import Ids
from memup.method.orders.sequential import Sequential


class Staggered(Sequential):
    """Sequential, but each row's first episode begins at a random step.

    So one batch always holds several phases of an episode, and no run of updates sees
    beginnings only.
    """

    def _begin(
        self, fresh_row: bool, ids: Ids, lengths: Ids, rng: np.random.Generator
    ) -> tuple[int, int, int]:
        """See Sequential."""
        episode, step, length = super()._begin(fresh_row, ids, lengths, rng)
        return episode, int(rng.integers(length)) if fresh_row else step, length
