"""What is predicted: the outcome y_k of step k, looked up in stored episodes.

One file a choice; `memup.method.targets.table` names them.

The reward that arrives with obs[k+1] is the consequence of (obs[k], action[k]), so it is the
outcome of step k; the last step of an episode has no consequence.
"""

import abc
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from memup.core.errors import require
from memup.data.store import EpisodeStore

Ids = Int[np.ndarray, "..."]


class TargetParts(NamedTuple):
    """What a run gives to any target.

    Attributes:
        fields: those of the observation in the store.
        agent_gamma: discount of the agent that the run trains.
        classes: what `AbstractTarget.measure` found, if anything: values of each outcome.
    """

    fields: tuple[str, ...]
    agent_gamma: float
    classes: Sequence[Sequence[int]] | None = None


class AbstractTarget(abc.ABC):
    """Outcomes of steps.

    Attributes:
        lead: 1 if the outcome of a step is known only with the next one, else 0.
        needs: fields that the store must have.
        family: distribution family of the outcomes: "auto", "categorical" or "normal".
    """

    lead: int = 1
    needs: tuple[str, ...] = ()
    family: str = "auto"

    @classmethod
    @abc.abstractmethod
    def make(cls, parts: TargetParts) -> Any:
        """Make it of what a run has; its options in the table follow by keyword."""

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

    def measure(self, store: EpisodeStore) -> dict[str, Any]:
        """Return facts, plain JSON, that a target is made with from then on: "classes" or nothing.

        Where there are classes, [O][A], outcomes are their places in these lists.
        """
        return {}

    @abc.abstractmethod
    def values(self, store: EpisodeStore, ids: Ids, steps: Ids) -> Float[np.ndarray, "... O"]:
        """Return y for the given steps of the given episodes (same leading shape)."""


def known_numbers(
    value: Float[np.ndarray, "... O"],
) -> tuple[Float[np.ndarray, "... O"], Bool[np.ndarray, "..."]]:
    """Return outcomes whose unknown numbers are NaN, and where at least one number is known.

    An outcome of which nothing is known is 0: nothing counts it, and 0 harms no program.
    """
    finite = np.isfinite(value)
    known = finite.any(axis=-1)
    out = np.where(finite, value, np.float32(np.nan))
    return np.where(known[..., None], out, np.float32(0)).astype(np.float32), known


def following(store: EpisodeStore, ids: Ids, steps: Ids) -> Ids:
    """Return the rows of the steps that follow, or of the last step, which none follows."""
    return store.global_rows(ids, np.minimum(np.asarray(steps) + 1, store.lengths(ids) - 1))
