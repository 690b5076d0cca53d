"""The detector `quantile`, the authors' first one."""

from memup.method.detectors.base import (
    AbstractDetector,
    DetectorParts,
    Episodes,
    Learned,
    Scores,
)


class QuantileSpread(AbstractDetector):
    """The standard deviation of the quantiles of the outcome given the step alone."""

    @classmethod
    def make(cls, parts: DetectorParts) -> "QuantileSpread":
        """See AbstractDetector."""
        return cls(parts.baseline, quantile=parts.quantile())

    def score(self, learned: Learned, episodes: Episodes) -> Scores:
        """See AbstractDetector."""
        return episodes.each(self.learners["quantile"], learned["quantile"])
