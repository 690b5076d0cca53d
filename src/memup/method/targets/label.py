"""The target `label`."""

import numpy as np
from jaxtyping import Float

from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, Ids, TargetParts


class Label(AbstractTarget):
    """y_k is the label stored beside step k.

    A step has none where an integer label is negative, or where the field `labelled` is False.
    """

    lead = 0
    needs = ("label",)

    def __init__(self, family: str = "auto"):
        self.family = family

    @classmethod
    def make(cls, parts: TargetParts, *, family: str) -> "Label":
        """See AbstractTarget."""
        return cls(family)

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """Return y, NaN where there is no label; see AbstractTarget."""
        rows = store.global_rows(ids, steps)
        raw = store.gather("label", rows)
        value = raw.reshape(*np.shape(ids), -1).astype(np.float32)
        if np.issubdtype(raw.dtype, np.integer):
            value = np.where(value < 0, np.nan, value)
        if "labelled" in store.fields:
            value = np.where(store.gather("labelled", rows)[..., None], value, np.nan)
        return value.astype(np.float32)
