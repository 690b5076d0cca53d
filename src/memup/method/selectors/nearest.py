"""The selector `nearest`."""

from typing import Any

import numpy as np
from jaxtyping import Int

from memup.core.types import Targets
from memup.method.selectors.base import (
    SHARE,
    AbstractSelector,
    Rng,
    Scores,
    Steps,
)


class Nearest(AbstractSelector):
    """The next K steps k >= t that are uncertain: of at least a tenth of the highest score.

    Where every moment has a hint of its own, as in corridor after corridor, the far moments cannot
    be known yet, and top-k has no reason to leave them out.
    """

    def plan(self, score: Scores) -> Int[np.ndarray, " C"]:
        """Return the uncertain steps, ascending, the last step among them."""
        return np.union1d(np.flatnonzero(score >= SHARE * score.max()), [len(score) - 1])

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        step = self.plan(score) if plan is None else plan
        place = np.searchsorted(step, query)[:, None] + np.arange(self.width)
        there = place < len(step)
        index = np.where(there, step[np.minimum(place, len(step) - 1)], query[:, None])
        return Targets(index, there.astype(np.float32))
