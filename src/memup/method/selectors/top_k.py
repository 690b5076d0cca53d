"""The selector `top-k`."""

from typing import Any

from memup.core.types import Targets
from memup.method.selectors.base import AbstractSelector, Rng, Scores, Steps
from memup.method.selectors.suffix import Plan, suffix_top_k


class TopK(AbstractSelector):
    """The K steps k >= t of highest score."""

    def plan(self, score: Scores) -> Plan:
        """See AbstractSelector."""
        return suffix_top_k(score, self.width)

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        return (plan or self.plan(score)).at(query)
