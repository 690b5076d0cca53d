"""U_t: which future steps the memory at t is trained to predict (Sorokin et al. 2022, section 3).

A selector reads the scores of one episode once (`plan`) and then answers for any query steps in
time that does not depend on the episode's length (`Plan.at`). Selection is causal: a target is
never before its query.
"""

import abc
from collections.abc import Sequence
from heapq import heappush, heappushpop
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from memup.core.types import Targets

Scores = Float[np.ndarray, " T"]
Steps = Int[np.ndarray, " Q"]
Rng = np.random.Generator

SHARE = 0.1


class Plan(NamedTuple):
    """U_t of every step of one episode, which changes only at few steps.

    Attributes:
        until: ascending steps, [C]: row c holds for queries in (until[c-1], until[c]].
        index: targets, [C, K].
        weight: 1.0 where there is a target, [C, K].
    """

    until: Int[np.ndarray, " C"]
    index: Int[np.ndarray, "C K"]
    weight: Float[np.ndarray, "C K"]

    def at(self, query: Int[np.ndarray, " Q"]) -> Targets:
        """Look the targets of query steps up; queries after the last valid step get weight 0."""
        row = np.searchsorted(self.until, query)
        past = row == len(self.until)
        row = np.where(past, len(self.until) - 1, row)
        index = np.maximum(self.index[row], query[:, None])
        return Targets(index, np.where(past[:, None], 0.0, self.weight[row]).astype(np.float32))


class AbstractSelector(abc.ABC):
    """Chooses targets from scores.

    Attributes:
        width: K, targets a query.
    """

    width: int

    @abc.abstractmethod
    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """Choose K targets for each query step.

        Args:
            score: memory potential of the steps that have an outcome.
            query: steps, each in [0, T]; T itself (an outcome-less last step) gets weight 0.
            rng: for stochastic selectors.
            plan: what `plan(score)` returned, if the caller kept it.
        """

    def plan(self, score: Scores) -> Any:
        """Return what can be kept between calls; None if nothing can."""

    def proven(self) -> "AbstractSelector":
        """Return the selector without trials, to judge by."""
        return self


def suffix_top_k(score: Scores, k: int) -> Plan:
    """Find the k highest-scored steps of every suffix of an episode, exactly.

    The set changes only where a step enters it, read from the end: about k ln(T/k) times for
    scores in random order. Equal scores prefer the later step.
    """
    heap: list[tuple[float, int]] = []
    until, index, weight = [], [], []
    high, size = len(score), 64
    while high > 0:
        low = max(0, high - size)
        block = score[low:high]
        bar = heap[0][0] if len(heap) == k else -np.inf
        for step in (np.flatnonzero(block > bar)[::-1] + low).tolist():
            value = float(score[step])
            if len(heap) < k:
                heappush(heap, (value, step))
            elif value > heap[0][0]:
                heappushpop(heap, (value, step))
            else:
                continue
            chosen = [chosen for _, chosen in sorted(heap, reverse=True)]
            missing = k - len(chosen)
            until.append(step)
            index.append(chosen + [step] * missing)
            weight.append([1.0] * len(chosen) + [0.0] * missing)
        high, size = low, min(2 * size, 65536)
    return Plan(
        np.array(until[::-1], np.int64),
        np.array(index[::-1], np.int64).reshape(-1, k),
        np.array(weight[::-1], np.float32).reshape(-1, k),
    )


class TopK(AbstractSelector):
    """The K steps k >= t of highest score."""

    def __init__(self, width: int):
        self.width = width

    def plan(self, score: Scores) -> Plan:
        """See AbstractSelector."""
        return suffix_top_k(score, self.width)

    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        return (plan or self.plan(score)).at(query)


class Nearest(AbstractSelector):
    """The next K steps k >= t that are uncertain: of at least a tenth of the highest score.

    Where every moment has a hint of its own, as in corridor after corridor, the far moments cannot
    be known yet, and top-k has no reason to leave them out.
    """

    def __init__(self, width: int):
        self.width = width

    def plan(self, score: Scores) -> Int[np.ndarray, " C"]:
        """Return the uncertain steps, ascending, the last step among them."""
        return np.union1d(np.flatnonzero(score >= SHARE * score.max()), [len(score) - 1])

    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        step = self.plan(score) if plan is None else plan
        place = np.searchsorted(step, query)[:, None] + np.arange(self.width)
        there = place < len(step)
        index = np.where(there, step[np.minimum(place, len(step) - 1)], query[:, None])
        return Targets(index, there.astype(np.float32))


class Temperature(AbstractSelector):
    """K steps k >= t sampled without replacement by softmax(score / temperature).

    Gumbel noise is added to score / temperature and the top K are taken (Gumbel-top-k), redrawn
    each time an episode is read.
    """

    def __init__(self, width: int, temperature: float = 0.25):
        self.width, self.temperature = width, temperature

    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        return suffix_top_k(score / self.temperature + rng.gumbel(size=len(score)), self.width).at(
            query
        )


class Uniform(AbstractSelector):
    """K steps drawn uniformly among all k >= t: the control for the detector."""

    def __init__(self, width: int):
        self.width = width

    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        span = np.maximum(len(score) - query, 1)[:, None]
        index = query[:, None] + np.floor(rng.random((len(query), self.width)) * span).astype(int)
        valid = np.broadcast_to((query < len(score))[:, None], index.shape)
        return Targets(index, valid.astype(np.float32))


class Current(AbstractSelector):
    """The query step itself: the ordinary loss of a recurrent network, and of its TBPTT control."""

    width = 1

    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        return Targets(query[:, None], (query < len(score)).astype(np.float32)[:, None])


class Composite(AbstractSelector):
    """The targets of several selectors side by side, equally weighted."""

    def __init__(self, parts: Sequence[AbstractSelector]):
        self.parts = tuple(parts)
        self.width = sum(part.width for part in parts)

    def plan(self, score: Scores) -> list[Any]:
        """Return the plan of every part."""
        return [part.plan(score) for part in self.parts]

    def proven(self) -> "Composite":
        """See AbstractSelector."""
        return Composite([part.proven() for part in self.parts])

    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        plans = plan or [None] * len(self.parts)
        chosen = [
            part.select(score, query, rng, own) for part, own in zip(self.parts, plans, strict=True)
        ]
        return Targets(
            np.concatenate([c.index for c in chosen], axis=1),
            np.concatenate([c.weight for c in chosen], axis=1),
        )
