"""The target `q-value`."""

import numpy as np
from jaxtyping import Float

from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, Ids, TargetParts, following


class QValue(AbstractTarget):
    """y_k is the action value that the agent held when it was there: r + gamma V(next step)."""

    needs = ("reward", "terminated", "value")
    # What random play holds are rewards: few values, which says nothing of the agent's.
    family = "normal"

    def __init__(self, gamma: float):
        self.gamma = gamma

    @classmethod
    def make(cls, parts: TargetParts) -> "QValue":
        """See AbstractTarget."""
        return cls(parts.agent_gamma)

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        rows = following(store, ids, steps)
        reward, over, value = (store.gather(name, rows) for name in self.needs)
        return (reward + self.gamma * np.where(over, 0.0, value))[..., None].astype(np.float32)
