"""The selector `temperature`."""

from typing import Any

from memup.core.types import Targets
from memup.method.selectors.base import AbstractSelector, Rng, Scores, SelectorParts, Steps
from memup.method.selectors.suffix import suffix_top_k


class Temperature(AbstractSelector):
    """K steps k >= t sampled without replacement by softmax(score / temperature).

    Gumbel noise is added to score / temperature and the top K are taken (Gumbel-top-k), redrawn
    each time an episode is read.
    """

    def __init__(self, width: int, temperature: float = 0.25):
        super().__init__(width)
        self.temperature = temperature

    @classmethod
    def make(cls, parts: SelectorParts, *, temperature: float) -> "Temperature":
        """See AbstractSelector."""
        return cls(parts.width, temperature)

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        noisy = score / self.temperature + rng.gumbel(size=len(score))
        return suffix_top_k(noisy, self.width).at(query)
