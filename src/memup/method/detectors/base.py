"""Which steps are uncertain, when only the step itself is seen.

H(y_k | x_k) is high where memory could help (Sorokin et al. 2022, section 3). One file a choice;
`memup.method.detectors.table` names them. Every detector learns the baseline: a memory-less model
of the predictor's own family, against whose loss what memory brings is measured, in the same nats.
"""

import abc
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from memup.core.tree import Params
from memup.core.types import Metrics, Query
from memup.data.store import EpisodeStore
from memup.method.local import LocalLearner, LocalState
from memup.method.targets.base import AbstractTarget

Learned = dict[str, Params]
Scores = list[Float[np.ndarray, " T"]]
Batch = tuple[Query, Float[Array, "... O"]]


class DetectorParts(NamedTuple):
    """What a run gives to any detector.

    Attributes:
        baseline: learner of the outcomes, of the predictor's family.
        quantile: makes a learner of their quantiles.
        tail: outcomes at the end of an episode that `oracle` marks.
    """

    baseline: LocalLearner
    quantile: Callable[[], LocalLearner]
    tail: int


class Episodes(NamedTuple):
    """Some stored episodes to score.

    Attributes:
        store: where they lie.
        target: what their outcomes are.
        ids: which they are.
        each: scores every step of them by a learner with given parameters.
    """

    store: EpisodeStore
    target: AbstractTarget
    ids: Int[np.ndarray, " N"]
    each: Callable[[LocalLearner, Params], Scores]


class AbstractDetector(abc.ABC):
    """Scores steps by how uncertain their outcome is.

    Attributes:
        rescoring: "per chunk" if `rescore` scores episodes anew before every chunk of updates.
        nats: whether a score is an entropy in nats, so that 0 is certain.
        learners: what it learns, by name; the baseline is among them.
    """

    rescoring: Literal["never", "per chunk"] = "never"
    nats: bool = False

    def __init__(self, baseline: LocalLearner, **own: LocalLearner):
        self.learners = {"baseline": baseline, **own}

    @classmethod
    def make(cls, parts: DetectorParts) -> Any:
        """Make it of what a run has; its options in the table follow by keyword."""
        return cls(parts.baseline)

    def init(self, learned: Learned | None = None) -> dict[str, LocalState]:
        """Return the state before the first update, from given parameters or initial ones."""
        given = learned or {}
        return {name: learner.init(given.get(name)) for name, learner in self.learners.items()}

    def learn_many(
        self, state: dict[str, LocalState], batches: Batch
    ) -> tuple[dict[str, LocalState], Metrics]:
        """Make n updates on n batches of steps; the loss is the baseline's, [n]."""
        made = {name: self.learners[name].learn_many(own, batches) for name, own in state.items()}
        skipped = [metrics["skipped_in_a_row"] for _, metrics in made.values()]
        metrics = {"loss": made["baseline"][1]["loss"], "skipped_in_a_row": skipped[0]}
        for more in skipped[1:]:
            metrics["skipped_in_a_row"] = jnp.maximum(metrics["skipped_in_a_row"], more)
        return {name: after for name, (after, _) in made.items()}, metrics

    def losses(self, learned: Learned, batch: Batch) -> dict[str, Float[Array, ""]]:
        """Return the mean loss of everything it learns."""
        return {
            name: jnp.mean(self.learners[name].losses(p, *batch)) for name, p in learned.items()
        }

    def without_memory(
        self, learned: Learned, query: Query, target: Float[Array, "N O"]
    ) -> Float[Array, " N"]:
        """Return the baseline's -log q(y_k | x_k) of N steps, in nats."""
        return self.learners["baseline"].losses(learned["baseline"], query, target)

    @abc.abstractmethod
    def score(self, learned: Learned, episodes: Episodes) -> Scores:
        """Return the memory potential of every step of some episodes, at least 0."""

    def rescore(self, losses: Scores) -> Scores:
        """Return new scores of episodes from the losses of the slow copy of memory and predictor.

        Only a detector whose `rescoring` is "per chunk" is asked.
        """
        return losses
