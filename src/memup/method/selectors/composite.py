"""Several selectors side by side: names joined by "+"."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, PyTree

from memup.core.types import Targets, Window
from memup.method.selectors.base import (
    AbstractSelector,
    Plans,
    Rng,
    Scores,
    Steps,
)


class Composite(AbstractSelector):
    """The targets of several selectors side by side, equally weighted."""

    def __init__(self, parts: Sequence[AbstractSelector]):
        super().__init__(sum(part.width for part in parts))
        self.parts = tuple(parts)
        self.adapts = any(part.adapts for part in parts)

    def plan(self, score: Scores) -> list[Any]:
        """Return the plan of every part."""
        return [part.plan(score) for part in self.parts]

    def greedy(self) -> "Composite":
        """See AbstractSelector."""
        return Composite([part.greedy() for part in self.parts])

    def start(self) -> PyTree:
        """See AbstractSelector."""
        return tuple(part.start() for part in self.parts)

    def observe(
        self, state: PyTree, windows: Window, losses: Float[np.ndarray, "n B Q K"], *, rng: Rng
    ) -> PyTree:
        """See AbstractSelector; every part learns from the targets of all."""
        each = zip(self.parts, state, strict=True)
        return tuple(part.observe(own, windows, losses, rng=rng) for part, own in each)

    def informed(self, state: PyTree, plans: Plans) -> Plans:
        """See AbstractSelector."""
        each = [
            part.informed(own, {episode: plan[i] for episode, plan in plans.items()})
            for i, (part, own) in enumerate(zip(self.parts, state, strict=True))
        ]
        return {episode: [plan[episode] for plan in each] for episode in plans}

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        each = zip(self.parts, plan or [None] * len(self.parts), strict=True)
        chosen = [part.select(score, query, rng=rng, plan=own) for part, own in each]
        return Targets(
            np.concatenate([c.index for c in chosen], axis=1),
            np.concatenate([c.weight for c in chosen], axis=1),
        )
