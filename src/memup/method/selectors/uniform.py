"""The selector `uniform`."""

from typing import Any

import numpy as np

from memup.core.types import Targets
from memup.method.selectors.base import AbstractSelector, Rng, Scores, Steps


class Uniform(AbstractSelector):
    """K steps drawn uniformly among all k >= t: the control for the detector."""

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        span = np.maximum(len(score) - query, 1)[:, None]
        index = query[:, None] + np.floor(rng.random((len(query), self.width)) * span).astype(int)
        valid = np.broadcast_to((query < len(score))[:, None], index.shape)
        return Targets(index, valid.astype(np.float32))
