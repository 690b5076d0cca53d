"""What is predicted: the outcome y_k of step k, looked up in stored episodes.

The reward that arrives with obs[k+1] is the consequence of (obs[k], action[k]), so it is the
outcome of step k; the last step of an episode has no consequence.
"""

import abc

import numpy as np
from jaxtyping import Float, Int

from memup.core.errors import require
from memup.data.store import EpisodeStore

Ids = Int[np.ndarray, "..."]


class AbstractTarget(abc.ABC):
    """Outcomes of steps.

    Attributes:
        lead: 1 if the outcome of a step is known only with the next one, else 0.
        needs: fields that the store must have.
    """

    lead: int = 1
    needs: tuple[str, ...] = ()

    def check(self, store: EpisodeStore) -> None:
        """Raise MemupError if the store lacks a field."""
        for name in self.needs:
            require(
                name in store.fields,
                f"target {type(self).__name__}: the store has no field {name!r}; "
                f"it has {', '.join(sorted(store.fields))}",
            )

    def prepare(self, store: EpisodeStore, ids: Int[np.ndarray, " N"]) -> None:
        """Compute what needs a pass over whole episodes, once, when they enter the store."""

    @abc.abstractmethod
    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """Return y for the given steps of the given episodes (same leading shape)."""


class Reward(AbstractTarget):
    """y_k is the reward that the action at k brings."""

    needs = ("reward",)

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        return store.gather("reward", _following(store, ids, steps))[..., None].astype(np.float32)


class Return(AbstractTarget):
    """y_k is the discounted sum of the rewards after k: sum_i gamma^i reward[k+1+i]."""

    needs = ("reward",)

    def __init__(self, gamma: float):
        self.gamma = gamma

    def prepare(self, store: EpisodeStore, ids: Int[np.ndarray, " N"]) -> None:
        """Compute the return of every step, by one backward filter an episode."""
        from scipy.signal import lfilter

        for episode in ids:
            reward = np.asarray(store.episode(int(episode))["reward"], np.float64)
            following = np.append(reward[1:], 0.0)[::-1]
            value = lfilter([1.0], [1.0, -self.gamma], following)[::-1]
            store.set_scores([int(episode)], [value.astype(np.float32)], name="return")

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        return store.gather("return", store.global_rows(ids, steps))[..., None]


class NextObservation(AbstractTarget):
    """y_k is the next observation, as numbers (integers stay one number each)."""

    def __init__(self, fields: tuple[str, ...]):
        self.needs = fields

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        rows = _following(store, ids, steps)
        parts = [store.gather(name, rows) for name in self.needs]
        flat = [p.reshape(*rows.shape, -1).astype(np.float32) for p in parts]
        return np.concatenate(flat, axis=-1)


class QValue(AbstractTarget):
    """y_k is the action value that the agent held when it was there: r + gamma V(next step)."""

    needs = ("reward", "terminated", "value")

    def __init__(self, gamma: float):
        self.gamma = gamma

    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """See AbstractTarget."""
        rows = _following(store, ids, steps)
        reward, over, value = (store.gather(name, rows) for name in self.needs)
        return (reward + self.gamma * np.where(over, 0.0, value))[..., None].astype(np.float32)


class Label(AbstractTarget):
    """y_k is the label stored beside step k.

    A step has none where an integer label is negative, or where the field `labelled` is False.
    """

    lead = 0
    needs = ("label",)

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


def _following(store: EpisodeStore, ids: Ids, steps: Ids) -> Ids:
    """Return the rows of the steps that follow, or of the last step, which none follows."""
    return store.global_rows(ids, np.minimum(np.asarray(steps) + 1, store.lengths(ids) - 1))
