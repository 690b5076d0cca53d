"""Write beside every stored step how uncertain its outcome is."""

from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Float

from memup.core.compiled import Compiled
from memup.core.spaces import steps_within
from memup.core.tree import Params
from memup.data.queries import store_names
from memup.data.store import EpisodeStore
from memup.method.detectors.base import AbstractDetector, Episodes, Learned, Scores
from memup.method.detectors.contexts import ContextTable
from memup.method.local import LocalLearner
from memup.method.targets.base import AbstractTarget
from memup.phases.base import Workspace
from memup.phases.draw import context

SCORED_AT_ONCE = 65536
BLOCK = 4 * SCORED_AT_ONCE
ROOM = 1 << 28


class Scorer:
    """Scores stored episodes by a detector; compiled once for every learner."""

    def __init__(self) -> None:
        self._programs: dict[LocalLearner, Compiled] = {}

    def __call__(
        self,
        workspace: Workspace,
        detector: AbstractDetector,
        target: AbstractTarget,
        learned: Learned,
        ids: np.ndarray,
    ) -> float:
        """Score episodes; return the highest score of a step that has an outcome."""
        store, highest = workspace.store, 0.0
        tables: dict[LocalLearner, ContextTable] = {}
        for part in _parts(store.lengths(ids), BLOCK):
            own = ids[part]

            def each(learner: LocalLearner, params: Params, own: np.ndarray = own) -> Scores:
                if learner not in tables:
                    tables[learner] = self._table(workspace, learner, params, target.lead == 0)
                scores = _of_episodes(workspace, tables[learner], own)
                if target.lead:
                    return scores
                known = [
                    _known(store, target, i, len(s))
                    for i, s in zip(own.tolist(), scores, strict=True)
                ]
                return [np.where(k, s, 0).sum(axis=-1) for k, s in zip(known, scores, strict=True)]

            scores = detector.score(learned, Episodes(store, target, own, each))
            scores = [
                np.where(_known(store, target, i, len(s)).any(axis=-1), s, 0).astype(np.float32)
                for i, s in zip(own.tolist(), scores, strict=True)
            ]
            store.set_scores(own, scores)
            cut = (s[: len(s) - target.lead].max(initial=0.0) for s in scores)
            highest = max(highest, *(float(s) for s in cut))
        return highest

    def _table(
        self, workspace: Workspace, learner: LocalLearner, params: Params, apart: bool
    ) -> ContextTable:
        """Return what scores rows of the store; of few contexts each is asked about once.

        Args:
            workspace: has the store.
            learner: scores.
            params: its parameters.
            apart: score every number of an outcome by itself, as some may not be known.
        """
        score = learner.scores if apart else learner.score
        program = self._programs.setdefault(learner, Compiled(score))
        at_once = steps_within(
            workspace.observation_space, SCORED_AT_ONCE, ROOM // workspace.context
        )

        def ask(rows: np.ndarray) -> np.ndarray:
            padded = np.pad(rows, (0, -len(rows) % at_once), mode="edge")
            parts = padded.reshape(-1, at_once)
            scores = [np.asarray(program(params, context(workspace, part))) for part in parts]
            return np.concatenate(scores)[: len(rows)]

        names = store_names(workspace.observation_space, workspace.action_space)
        return ContextTable(workspace.store, names, ask, workspace.context)


def _of_episodes(
    workspace: Workspace, table: ContextTable, ids: np.ndarray
) -> list[Float[np.ndarray, "T ..."]]:
    lengths = workspace.store.lengths(ids)
    first = workspace.store.global_rows(ids, np.zeros(len(ids), np.int64))
    spans = zip(first, lengths, strict=True)
    rows = np.concatenate([np.arange(begin, begin + n) for begin, n in spans])
    blocks = [rows[low : low + BLOCK] for low in range(0, len(rows), BLOCK)]
    score = np.concatenate([table.scores(block) for block in blocks])
    return np.split(score, np.cumsum(lengths)[:-1])


def _known(
    store: EpisodeStore, target: AbstractTarget, episode: int, steps: int
) -> Bool[np.ndarray, "T O"]:
    """Return which numbers of the outcomes of an episode's steps are known; all, if not labels."""
    if target.lead:
        return np.ones((steps, 1), bool)
    at = np.arange(steps)
    return np.isfinite(target.values(store, np.full(steps, episode), at))


def _parts(lengths: np.ndarray, steps: int) -> list[slice]:
    """Cut a list of episodes into parts of about so many steps."""
    ends = np.cumsum(lengths)
    cuts = np.flatnonzero(np.diff(ends // steps)) + 1
    edges = [0, *cuts.tolist(), len(lengths)]
    return [slice(a, b) for a, b in pairwise(edges)]
