"""The detector `entropy`."""

from memup.method.detectors.base import AbstractDetector, Episodes, Learned, Scores


class Entropy(AbstractDetector):
    """The entropy of the outcome given the step alone, by the baseline.

    Of real outcomes it is shifted and scaled, so that it is never negative.
    """

    nats = True

    def score(self, learned: Learned, episodes: Episodes) -> Scores:
        """See AbstractDetector."""
        return episodes.each(self.learners["baseline"], learned["baseline"])
