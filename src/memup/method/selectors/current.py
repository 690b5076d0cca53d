"""The selector `current`."""

from typing import Any

import numpy as np

from memup.core.types import Targets
from memup.method.selectors.base import AbstractSelector, Rng, Scores, SelectorParts, Steps


class Current(AbstractSelector):
    """The query step itself: the ordinary loss of a recurrent network, and of its TBPTT control."""

    def __init__(self) -> None:
        super().__init__(1)

    @classmethod
    def make(cls, parts: SelectorParts) -> "Current":
        """See AbstractSelector; its width is 1 whatever the run's is."""
        return cls()

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        return Targets(query[:, None], (query < len(score)).astype(np.float32)[:, None])
