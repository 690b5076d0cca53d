"""Train a memory-less model of the outcomes and write its uncertainty beside every stored step."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.core.compiled import Compiled
from memup.core.errors import require
from memup.core.spaces import flatten
from memup.core.tree import Params
from memup.core.types import Key, Metrics
from memup.data import rarity
from memup.data.queries import look_up, store_names
from memup.data.store import EpisodeStore
from memup.method.detectors.unlearned import oracle
from memup.method.local import LocalLearner
from memup.method.targets.base import AbstractTarget
from memup.nn.distributions import suit
from memup.nn.encoder import Normaliser, encode
from memup.phases.base import AbstractPhase, Workspace, check_finite
from memup.phases.draw import Draw, context
from memup.phases.plateau import Plateau
from memup.phases.scores import ContextTable

CHUNK = 50
HELD_OUT = 32768
SCORED_AT_ONCE = 65536
BLOCK = 4 * SCORED_AT_ONCE
SAMPLE = 200_000
PATIENCE = 5
TAIL = 64


class Detect(AbstractPhase):
    """Learns what single steps say about their outcomes, then scores the store.

    Args:
        make: (workspace, key) -> the memory-less learner; called once the facts are known.
        make_target: workspace -> what is predicted.
        family: likelihood family of the predictor, and of the detector unless it is "quantile".
        detector: name of the detector; "oracle" and "surprise" are scored but not trained here.
        updates: at most.
        batch: steps an update.
        tail: outcomes at the end that the oracle marks.
    """

    name = "detect"

    def __init__(
        self,
        make: Callable[[Workspace, Key], LocalLearner],
        make_target: Callable[[Workspace], AbstractTarget],
        family: str,
        detector: str,
        updates: int,
        batch: int,
        tail: int,
    ):
        self.make, self.make_target = make, make_target
        self.family, self.detector = family, detector
        self.updates, self.batch, self.tail = updates, batch, tail

    def prepare(self, workspace: Workspace) -> None:
        """Measure what suits the outcomes and the inputs; make the detector."""
        self.target = self.make_target(workspace)
        self.target.check(workspace.store)
        require(len(workspace.store) > 0, "the store is empty: expected at least one episode")
        self.target.prepare(workspace.store, workspace.store.ids)
        if "likelihood" not in workspace.facts:
            workspace.facts |= measure(
                workspace, self.target, self.family, self.detector == "quantile"
            )
        self.learner = self.make(workspace, workspace.key(f"{self.name}/weights"))
        self._learn = Compiled(self.learner.learn_many, donate=(0,))
        self._score = Compiled(self.learner.score)
        self._losses = Compiled(self.learner.losses)
        self._held: Any = None
        self.draw = Draw(workspace, self.target)

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        return {
            "detector": self.learner.init(),
            "plateau": Plateau.start(),
            "chunk": np.array(0),
        }

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Make 50 updates on random steps, and look at the held-out loss."""
        if self.detector in {"oracle", "surprise"}:
            return state, {"loss": 0.0}, True
        chunk = int(state["chunk"])
        train, held = workspace.split_ids()
        rng = workspace.rng(self.name, chunk)
        batches = self.draw(train, (CHUNK, self.batch), rng)
        detector, metrics = self._learn(state["detector"], batches)
        check_finite(metrics["skipped_in_a_row"], self.name)
        if self._held is None:
            self._held = self.draw(held, (HELD_OUT,), workspace.rng(f"{self.name}/held"))
        held_out = float(np.mean(np.asarray(self._losses(detector.model, *self._held))))
        plateau, _ = state["plateau"].see(held_out)
        made = (chunk + 1) * CHUNK
        state = {"detector": detector, "plateau": plateau, "chunk": np.array(chunk + 1)}
        out = {
            "loss": float(np.mean(np.asarray(metrics["loss"]))),
            "held_out_loss": held_out,
            "updates": made,
            "progress": made / self.updates,
            "compile_s": self._learn.seconds + self._losses.seconds,
        }
        return state, out, made >= self.updates or int(plateau.stalled) >= PATIENCE

    def finish(self, workspace: Workspace, state: PyTree) -> None:
        """Score every stored step."""
        self._score_all(workspace, state["detector"].model)

    def restore(self, workspace: Workspace) -> None:
        """Score the data set again: only a run's own store surely still has its scores."""
        if workspace.env is None and workspace.task is None:
            self._score_all(workspace, workspace.results["detector"])

    def _score_all(self, workspace: Workspace, vector: Params) -> None:
        if self.detector == "oracle":
            ids = workspace.store.ids
            workspace.store.set_scores(ids, oracle(workspace.store, self.target, ids, self.tail))
        else:
            self.score(workspace, vector, workspace.store.ids)

    def score(self, workspace: Workspace, vector: Params, ids: np.ndarray) -> None:
        """Write the uncertainty of every step of some episodes into the store."""
        lengths = workspace.store.lengths(ids)
        names = store_names(workspace.observation_space, workspace.action_space)
        ask = lambda rows: self._ask(workspace, vector, rows)  # noqa: E731
        table = ContextTable(workspace.store, names, ask, workspace.context)
        for part in _parts(lengths, BLOCK):
            first = workspace.store.global_rows(ids[part], np.zeros(len(ids[part]), np.int64))
            rows = np.concatenate(
                [np.arange(s, s + n) for s, n in zip(first, lengths[part], strict=True)]
            )
            blocks = [rows[low : low + BLOCK] for low in range(0, len(rows), BLOCK)]
            score = np.concatenate([table.scores(block) for block in blocks])
            if self.target.lead == 0:
                owner = np.repeat(ids[part], lengths[part])
                step = rows - np.repeat(first, lengths[part])
                known = np.isfinite(self.target.values(workspace.store, owner, step)).all(axis=-1)
                score = np.where(known, score, 0.0).astype(np.float32)
            workspace.store.set_scores(ids[part], score)

    def _ask(self, workspace: Workspace, vector: Params, rows: np.ndarray) -> np.ndarray:
        """Score rows by the network."""
        padded = np.pad(rows, (0, -len(rows) % SCORED_AT_ONCE), mode="edge")
        parts = padded.reshape(-1, SCORED_AT_ONCE)
        scores = [np.asarray(self._score(vector, context(workspace, part))) for part in parts]
        return np.concatenate(scores)[: len(rows)]

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """The detector's arrays."""
        return {"detector": state["detector"].model}


def measure(
    workspace: Workspace, target: AbstractTarget, family: str, quantile: bool
) -> dict[str, Any]:
    """Measure on the store which likelihood suits the outcomes and how large the inputs are."""
    store, space = workspace.store, workspace.observation_space
    value = _all_outcomes(store, target, store.ids)
    seen = look_up(store, space, store.sample_rows(workspace.rng("detect/measure"), SAMPLE))
    normal = Normaliser.of_data(jax.vmap(lambda o: encode(space, o))(seen))
    local = suit(value, "quantile") if quantile else suit(value, family)
    return {
        "likelihood": suit(value, family).describe(),
        "local_likelihood": local.describe(),
        "rarity": rarity.measure(store, tuple(flatten(space)), workspace.rng("detect/rarity")),
        "normalise": {"shift": normal.shift.tolist(), "scale": normal.scale.tolist()},
    }


def _all_outcomes(store: EpisodeStore, target: AbstractTarget, ids: np.ndarray) -> np.ndarray:
    """All outcomes; where there are very many, the first ones and the last of every episode.

    Rare ones must not be missed.
    """
    lengths = np.maximum(store.lengths(ids) - target.lead, 0)
    parts, room = [], 10 * SAMPLE
    for i, n in zip(ids, lengths.tolist(), strict=True):
        steps = np.arange(n)
        if n > room:
            steps = np.concatenate([np.arange(room), np.arange(max(room, n - TAIL), n)])
        room = max(0, room - n)
        parts.append(target.values(store, np.full(len(steps), i), steps))
    value = np.concatenate(parts)
    value = value[np.isfinite(value).all(axis=-1)]
    require(len(value) > 0, "no step of the store has an outcome to predict")
    return value


def _parts(lengths: np.ndarray, steps: int) -> list[slice]:
    """Cut a list of episodes into parts of about so many steps."""
    ends = np.cumsum(lengths)
    cuts = np.flatnonzero(np.diff(ends // steps)) + 1
    edges = [0, *cuts.tolist(), len(lengths)]
    return [slice(a, b) for a, b in pairwise(edges)]
