"""Draw single steps to learn from: a half of them uniformly, a half among rare ones.

One step in a million decides the longest mazes. How an outcome depends on its step is the same
whichever way steps are chosen, as long as the outcome has no part in the choice. Where few steps
have a label at all, such as one in an episode, those are drawn.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int

from memup.core.errors import require
from memup.core.types import Query
from memup.data.queries import question
from memup.data.rarity import Rarity
from memup.data.store import EpisodeStore
from memup.method.targets.base import AbstractTarget, known_numbers
from memup.phases.base import Workspace

RARE_EPISODES = 256
RARE_STEPS = 16
SEARCHED = 20_000_000
FEW = 0.05


class Draw:
    """Draws steps of stored episodes with their outcomes.

    Args:
        workspace: has the store, and among its facts how rare observations are.
        target: gives the outcomes.
    """

    def __init__(self, workspace: Workspace, target: AbstractTarget):
        self.workspace, self.target = workspace, target
        self._rarity = Rarity(workspace.store, workspace.facts["rarity"])
        self._pools: dict[tuple[str, int, int, int], np.ndarray] = {}

    def __call__(
        self, ids: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator
    ) -> tuple[Query, np.ndarray]:
        """Return questions and outcomes, with leading axes `shape`, of steps of some episodes."""
        labelled = self._kept("labelled", ids, self._labelled)
        if len(labelled):
            pairs = labelled[rng.integers(len(labelled), size=shape)]
            return with_outcomes(self.workspace, self.target, pairs[..., 0], pairs[..., 1], rng)
        half = (*shape[:-1], shape[-1] // 2)
        pool = self._kept("rare", ids, self._rare)
        pairs = pool[rng.integers(len(pool), size=half)]
        rest = (*shape[:-1], shape[-1] - half[-1])
        drawn = uniform(self.workspace.store, self.target, ids, rest, rng)
        which, step = (
            np.concatenate(both, axis=-1)
            for both in zip((pairs[..., 0], pairs[..., 1]), drawn, strict=True)
        )
        return with_outcomes(self.workspace, self.target, which, step, rng)

    def _kept(
        self, kind: str, ids: np.ndarray, find: Callable[[np.ndarray], np.ndarray]
    ) -> Int[np.ndarray, "M 2"]:
        """Return what `find` finds in some episodes; kept while ids stay."""
        own = (kind, int(ids[0]), int(ids[-1]), len(ids))
        if own not in self._pools:
            if len(self._pools) > 3:  # in joint training episodes come and go
                self._pools.clear()
            self._pools[own] = find(ids)
        return self._pools[own]

    def _rare(self, ids: np.ndarray) -> Int[np.ndarray, "M 2"]:
        """Return (episode, step) of the rarest steps of some episodes."""
        rng = self.workspace.rng("draw/rare")
        few = rng.choice(ids, size=min(RARE_EPISODES, len(ids)), replace=False).tolist()
        return np.array(
            [(i, s) for i in few for s in self._rarity.rarest(i, RARE_STEPS, rng).tolist()]
        )

    def _labelled(self, ids: np.ndarray) -> Int[np.ndarray, "M 2"]:
        """Return (episode, step) of all labels of some episodes; none where labels are common."""
        nothing = np.zeros((0, 2), np.int64)
        if self.target.lead:
            return nothing
        store, found, seen = self.workspace.store, [nothing], 0
        for i in self.workspace.rng("draw/labelled").permutation(ids):
            steps = np.arange(int(store.lengths(i)))
            known = np.isfinite(self.target.values(store, np.full(len(steps), i), steps)).any(-1)
            if known.mean() > FEW:
                return nothing
            found.append(np.stack([np.full(known.sum(), i), steps[known]], axis=1))
            seen += len(steps)
            if seen > SEARCHED:
                break
        return np.concatenate(found)


def uniform(
    store: EpisodeStore,
    target: AbstractTarget,
    ids: np.ndarray,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Draw steps uniformly; return their episodes and places."""
    outcomes = np.maximum(store.lengths(ids) - target.lead, 0)
    ends = np.cumsum(outcomes)
    require(
        bool(ends[-1] > 0), "the store has no step with an outcome: every episode is one step long"
    )
    place = rng.integers(ends[-1], size=shape)
    which = np.searchsorted(ends, place, side="right")
    return ids[which], place - (ends[which] - outcomes[which])


def with_outcomes(
    workspace: Workspace,
    target: AbstractTarget,
    episode: np.ndarray,
    step: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Query, np.ndarray]:
    """Look questions and outcomes up; a step without an outcome gives way to one that has one."""
    value, known = known_numbers(target.values(workspace.store, episode, step))
    last = step >= workspace.store.lengths(episode) - target.lead
    known = np.flatnonzero((known & ~last).ravel())
    require(len(known) > 0, f"none of {step.size} steps drawn has an outcome to predict")
    if len(known) < step.size:
        again = known[rng.integers(len(known), size=step.size)]
        keep = np.isin(np.arange(step.size), known)
        pick = np.where(keep, np.arange(step.size), again).reshape(step.shape)
        episode, step = episode.ravel()[pick], step.ravel()[pick]
        value = value.reshape(step.size, -1)[pick]
    return context(workspace, workspace.store.global_rows(episode, step)), value


def context(workspace: Workspace, rows: np.ndarray) -> Query:
    """Look up the local questions of some rows of the store."""
    return question(
        workspace.store,
        workspace.observation_space,
        workspace.action_space,
        rows,
        workspace.context,
    )
