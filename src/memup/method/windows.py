"""Gather what updates see: windows of R steps, their queries, and the far-away targets of these.

This is the host's part of an update. It touches R + Q*K steps a row, however long the episodes
are, and one call gathers many updates at once, while the device still works on the ones before.
"""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jaxtyping import Int, PyTree

from memup.core.spaces import Space
from memup.core.types import BurnIn, StepInput, Targets, Window
from memup.data.queries import inputs, question
from memup.data.store import EpisodeStore
from memup.method.orders.base import Visit
from memup.method.selectors.base import AbstractSelector
from memup.method.targets.base import AbstractTarget, known_numbers

KEPT_PLANS = 100_000


@dataclass
class Windows:
    """Builds windows from visits.

    Attributes:
        store: the episodes.
        selector: chooses targets from the stored scores.
        target: gives their outcomes.
        observation_space: what is seen.
        action_space: what is done; None where there are no actions and no rewards.
        length: R, steps a window.
        stride: a query every `stride` steps of a window, its last step among them.
        context: steps that a question shows, the target step the last of them.
        burn_in: steps before a window, at most, that long rows read of what lies between two.
        long_rows: share of the rows, the last ones, that are long.
        known: what the selector has learned from losses so far; None: nothing.
    """

    store: EpisodeStore
    selector: AbstractSelector
    target: AbstractTarget
    observation_space: Space
    action_space: Space | None
    length: int
    stride: int = 1
    context: int = 1
    burn_in: int = 0
    long_rows: float = 0.0
    known: PyTree = None
    _plans: OrderedDict[int, Any] = field(default_factory=OrderedDict, init=False)

    @property
    def query(self) -> Int[np.ndarray, " Q"]:
        """Positions of the query steps in a window."""
        return np.arange(self.length)[:: -self.stride][::-1]

    def forget_plans(self) -> None:
        """Drop kept plans; call it when scores have changed."""
        self._plans.clear()

    def build(self, visits: list[Visit], rows: int, count: int, rng: np.random.Generator) -> Window:
        """Gather `count` consecutive windows of every row.

        Args:
            visits: what is in the count * R steps of every row; where none is, nothing is asked.
            rows: B.
            count: n, windows a row.
            rng: for stochastic selectors.

        Returns:
            A Window of numpy arrays with a leading axis n.
        """
        step, episode, first = self._streams(visits, rows, count * self.length)
        targets, owner, query = self._targets(step, episode, rng)
        x = self._inputs(_some(episode), step, first)
        at = self.store.global_rows(owner, targets.index)
        context = question(self.store, self.observation_space, self.action_space, at, self.context)
        far = np.maximum(targets.index - query[..., None], 0).astype(np.int32)
        context = context._replace(distance=far)
        value = self.target.values(self.store, owner, targets.index)
        value, known = known_numbers(value)
        weight = targets.weight * known

        def windows(a: np.ndarray) -> np.ndarray:
            split = a.reshape(len(a), count, a.shape[1] // count, *a.shape[2:])
            return np.ascontiguousarray(np.swapaxes(split, 0, 1))

        return Window(
            x=jax.tree.map(windows, x),
            query=np.broadcast_to(self.query, (count, len(self.query))),
            context=jax.tree.map(windows, context),
            target=windows(value),
            weight=windows(weight.astype(np.float32)),
            burn_in=jax.tree.map(windows, self._burn_in(visits, rows, count)),
        )

    def _streams(
        self, visits: list[Visit], rows: int, steps: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lay the visits out: step, episode and start flag at every place, [B, steps] each.

        Where no visit is, the episode is -1.
        """
        step = np.zeros((rows, steps), np.int64)
        episode = np.full((rows, steps), -1, np.int64)
        first = np.zeros((rows, steps), bool)
        row, owner, start, stop, offset, fresh, _ = np.array(visits, np.int64).T
        length = stop - start
        # How far each step is from the beginning of its visit, visit after visit.
        into = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        place = np.repeat(row, length), np.repeat(offset, length) + into
        step[place] = np.repeat(start, length) + into
        episode[place] = np.repeat(owner, length)
        first[row, offset] = fresh
        return step, episode, first

    def _inputs(self, episode: np.ndarray, step: np.ndarray, first: np.ndarray) -> StepInput:
        """Look up what the memory reads: [B, steps, ...]."""
        spaces = self.observation_space, self.action_space
        return inputs(self.store, *spaces, episode, step, first)

    def _burn_in(self, visits: list[Visit], rows: int, count: int) -> BurnIn | None:
        """Look up what long rows read before each of their windows: [long rows, n*G, ...]."""
        if not any(v.gap for v in visits):  # no row is long yet, or rows walk
            return None
        long = round(self.long_rows * rows)
        steps = np.zeros((long, count, self.burn_in), np.int64)
        episode = np.full_like(steps, visits[0].episode)
        read = np.zeros((long, count), np.int32)
        for v in visits:
            row, place = v.row - (rows - long), v.offset // self.length
            if row >= 0 and v.gap:
                steps[row, place] = np.arange(v.start - self.burn_in, v.start)
                episode[row, place], read[row, place] = v.episode, v.gap
        flat = (a.reshape(long, -1) for a in (episode, np.maximum(steps, 0)))
        x = self._inputs(*flat, np.zeros((long, count * self.burn_in), bool))
        return BurnIn(x, read)

    def _targets(
        self, step: np.ndarray, episode: np.ndarray, rng: np.random.Generator
    ) -> tuple[Targets, np.ndarray, np.ndarray]:
        """Select targets: index, weight and episode, [B, n*Q, K], and their queries, [B, n*Q]."""
        asked = np.arange(step.shape[1]).reshape(-1, self.length)[:, self.query].ravel()
        query, owner = step[:, asked].ravel(), episode[:, asked].ravel()
        index = np.zeros((len(query), self.selector.width), np.int64)
        weight = np.zeros(index.shape, np.float32)
        # An episode at a time, however many visits it is read in.
        grouped = np.argsort(owner, kind="stable")
        ids, begins = np.unique(owner[grouped], return_index=True)
        scores = self._outcomes(ids[ids >= 0])
        plans = self._informed_plans(scores)
        for id, group in zip(ids.tolist(), np.split(grouped, begins[1:]), strict=True):
            if id in scores:
                plan, asked_of = plans.get(id), query[group]
                index[group], weight[group] = self._select(plan, scores[id], asked_of, rng)
        shape = (len(step), len(asked), self.selector.width)
        owners = np.broadcast_to(_some(owner)[:, None], index.shape).reshape(shape)
        return Targets(index.reshape(shape), weight.reshape(shape)), owners, step[:, asked]

    def _select(
        self, plan: Any, score: np.ndarray, query: np.ndarray, rng: np.random.Generator
    ) -> Targets:
        if len(score) == 0:
            nothing = np.zeros((len(query), self.selector.width), np.float32)
            return Targets(np.repeat(query[:, None], self.selector.width, axis=1), nothing)
        targets = self.selector.select(score, query, rng=rng, plan=plan)
        # A last step without an outcome has weight 0; its index must still be one that exists.
        return Targets(np.minimum(targets.index, len(score) - 1), targets.weight)

    def _informed_plans(self, scores: dict[int, np.ndarray]) -> Mapping[int, Any]:
        """Return the plans of episodes; what is known of all of them is asked at once."""
        plans = {id: self._plan(id, score) for id, score in scores.items() if len(score)}
        return plans if self.known is None else self.selector.informed(self.known, plans)

    def _plan(self, episode: int, score: np.ndarray) -> Any:
        if episode not in self._plans:
            self._plans[episode] = self.selector.plan(score)
            if len(self._plans) > KEPT_PLANS:
                self._plans.popitem(last=False)
        return self._plans[episode]

    def _outcomes(self, ids: Int[np.ndarray, " E"]) -> dict[int, np.ndarray]:
        """Return the scores of the steps that have an outcome, by episode."""
        scores = self.store.scores_of(ids)
        cut = (score[: len(score) - self.target.lead] for score in scores)
        return dict(zip(ids.tolist(), cut, strict=True))


def _some(episode: np.ndarray) -> np.ndarray:
    """Put an episode that exists where none is; what is looked up there has no weight."""
    return np.where(episode < 0, episode.max(), episode)
