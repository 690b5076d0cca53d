"""U_t: which future steps the memory at t is trained to predict (Sorokin et al. 2022, section 3).

A selector reads the scores of one episode once (`plan`) and then answers for any query steps in
time that does not depend on the episode's length. Selection is causal: a target is never before
its query. One file a choice; `memup.method.selectors.table` names them.
"""

import abc
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, PyTree

from memup.core.types import Query, Targets, Window
from memup.method.local import LocalLearner
from memup.method.predictor import LocalPredictor

Scores = Float[np.ndarray, " T"]
Steps = Int[np.ndarray, " Q"]
Rng = np.random.Generator
# Episode id -> what `plan` returned for it.
Plans = Mapping[int, Any]
# (episodes [N], steps [N]) -> their local questions, leaves [N, ...].
LookUp = Callable[[np.ndarray, np.ndarray], Query]
# Local questions and outcomes of N steps -> their losses without memory, [N].
Without = Callable[[Query, np.ndarray], np.ndarray]

# Of the highest score: what scores less is not uncertain.
SHARE = 0.1


class SelectorParts(NamedTuple):
    """What a run gives to any selector.

    Attributes:
        width: K, targets a query.
        learner: makes the learner of a memory-less model of a number for each code of the distance;
            it is given what makes the model of its predictor.
        look_up: gives the local questions of steps.
        without: gives the losses of outcomes without memory, in nats.
    """

    width: int
    learner: Callable[[Callable[[LocalPredictor], Any]], LocalLearner]
    look_up: LookUp
    without: Without


class AbstractSelector(abc.ABC):
    """Chooses targets from scores.

    Attributes:
        width: K, targets a query.
        adapts: whether `observe` changes what is chosen.
    """

    width: int
    adapts: bool = False

    def __init__(self, width: int):
        self.width = width

    @classmethod
    def make(cls, parts: SelectorParts) -> Any:
        """Make it of what a run has; its options in the table follow by keyword."""
        return cls(parts.width)

    @abc.abstractmethod
    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """Choose K targets for each query step.

        Args:
            score: memory potential of the steps that have an outcome.
            query: steps, each in [0, T]; T itself (an outcome-less last step) gets weight 0.
            rng: for stochastic selectors.
            plan: what `plan(score)` returned, if the caller kept it.
        """

    def plan(self, score: Scores) -> Any:
        """Return what can be kept between calls; None if nothing can."""

    def greedy(self) -> "AbstractSelector":
        """Return the selector without trials, to judge by."""
        return self

    def start(self) -> PyTree:
        """Return what it knows before the first `observe`: arrays only."""
        return ()

    def observe(
        self, state: PyTree, windows: Window, losses: Float[np.ndarray, "n B Q K"], *, rng: Rng
    ) -> PyTree:
        """Learn from the losses that updates had at their targets; return the new state."""
        return state

    def informed(self, state: PyTree, plans: Plans) -> Plans:
        """Return the plans of some episodes with what the state knows of them."""
        return plans
