"""What a model's networks are put together from: spaces, measured facts and options."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from memup.core.spaces import Space
from memup.specs.spec import RunSpec


@dataclass(frozen=True)
class Blueprint:
    """All that decides the shapes and constants of networks; no environment, no store.

    Attributes:
        spec: the options.
        observation_space: what is seen.
        action_space: what is done; None where there are no actions and no rewards.
        query_length: steps that a question shows.
        facts: what was measured on data once; plain JSON. The same mapping as the run's own, so
            that facts that are measured later are seen.
    """

    spec: RunSpec
    observation_space: Space
    action_space: Space | None
    query_length: int = 1
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> np.ndarray | None:
        """Labels that classes stand for, [O, A], the last of each number repeated; None: none."""
        found = self.facts.get("classes")
        if found is None:
            return None
        most = max(map(len, found))
        return np.array([[*c, *[c[-1]] * (most - len(c))] for c in found], np.int64)
