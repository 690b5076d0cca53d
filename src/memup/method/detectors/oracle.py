"""The detector `oracle`: for tests."""

import numpy as np

from memup.method.detectors.base import (
    AbstractDetector,
    DetectorParts,
    Episodes,
    Learned,
    Scores,
)
from memup.method.local import LocalLearner


class Oracle(AbstractDetector):
    """Told by the data: the field `oracle`, or else the last `tail` outcomes of an episode."""

    def __init__(self, baseline: LocalLearner, tail: int):
        super().__init__(baseline)
        self.tail = tail

    @classmethod
    def make(cls, parts: DetectorParts) -> "Oracle":
        """See AbstractDetector."""
        return cls(parts.baseline, parts.tail)

    def score(self, learned: Learned, episodes: Episodes) -> Scores:
        """See AbstractDetector."""
        store, lead = episodes.store, episodes.target.lead
        if "oracle" in store.fields:
            return [np.asarray(store.episode(i)["oracle"], np.float32) for i in episodes.ids]
        lengths = store.lengths(episodes.ids).tolist()
        return [(np.arange(n) >= n - lead - self.tail).astype(np.float32) for n in lengths]
