"""The target `reward`."""

import numpy as np
from jaxtyping import Float

from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, Ids, TargetParts, following


class Reward(AbstractTarget):
    """y_k is the reward that the action at k brings."""

    needs = ("reward",)

    def __init__(self, family: str = "auto"):
        self.family = family

    @classmethod
    def make(cls, parts: TargetParts, *, family: str) -> "Reward":
        """See AbstractTarget."""
        return cls(family)

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        return store.gather("reward", following(store, ids, steps))[..., None].astype(np.float32)
