"""The target `return`."""

import numpy as np
from jaxtyping import Float, Int

from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, Ids, TargetParts


class Return(AbstractTarget):
    """y_k is the discounted sum of the rewards after k: sum_i gamma^i reward[k+1+i]."""

    needs = ("reward",)

    def __init__(self, gamma: float, family: str = "auto"):
        self.gamma, self.family = gamma, family

    @classmethod
    def make(cls, parts: TargetParts, *, gamma: float, family: str) -> "Return":
        """See AbstractTarget."""
        return cls(gamma, family)

    def prepare(self, store: EpisodeStore, ids: Int[np.ndarray, " N"]) -> None:
        """Compute the return of every step, by one backward filter an episode."""
        from scipy.signal import lfilter

        for episode in ids:
            reward = np.asarray(store.episode(int(episode))["reward"], np.float64)
            after = np.append(reward[1:], 0.0)[::-1]
            value = lfilter([1.0], [1.0, -self.gamma], after)[::-1]
            store.set_scores([int(episode)], [value.astype(np.float32)], name="return")

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        return store.gather("return", store.global_rows(ids, steps))[..., None]
