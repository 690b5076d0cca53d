"""The target `next-observation`."""

import numpy as np
from jaxtyping import Float

from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, Ids, TargetParts, following


class NextObservation(AbstractTarget):
    """y_k is the next observation, as numbers (integers stay one number each)."""

    def __init__(self, fields: tuple[str, ...], family: str = "auto"):
        self.needs, self.family = fields, family

    @classmethod
    def make(cls, parts: TargetParts, *, family: str) -> "NextObservation":
        """See AbstractTarget."""
        return cls(parts.fields, family)

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        rows = following(store, ids, steps)
        parts = [store.gather(name, rows) for name in self.needs]
        flat = [p.reshape(*rows.shape, -1).astype(np.float32) for p in parts]
        return np.concatenate(flat, axis=-1)
