"""The K highest-scored steps of every suffix of an episode."""

from heapq import heappush, heappushpop
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from memup.core.types import Targets
from memup.method.selectors.base import Scores


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
