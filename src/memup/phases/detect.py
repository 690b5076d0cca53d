"""Train a memory-less model of the outcomes and write its uncertainty beside every stored step."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.core.compiled import Compiled
from memup.core.errors import require
from memup.core.spaces import leaf_bytes, steps_within
from memup.core.types import Metrics, Query
from memup.method.detectors.base import AbstractDetector, Learned
from memup.method.targets.base import AbstractTarget
from memup.nn.distributions import from_description, kind_of
from memup.phases.base import AbstractPhase, Workspace, check_finite
from memup.phases.draw import Draw
from memup.phases.measure import measure
from memup.phases.plateau import Plateau
from memup.phases.score import ROOM, SCORED_AT_ONCE, Scorer

CHUNK = 50
HELD_OUT = 32768
CHUNK_BYTES = 1 << 28
PATIENCE = 5
CERTAIN = 0.01


class Detect(AbstractPhase):
    """Learns what single steps say about their outcomes, then scores the store.

    Args:
        make: workspace -> detector; called once the facts are known.
        make_target: workspace -> what is predicted.
        updates: at most.
        batch: steps an update.
    """

    name = "detect"

    def __init__(
        self,
        make: Callable[[Workspace], AbstractDetector],
        make_target: Callable[[Workspace], AbstractTarget],
        updates: int,
        batch: int,
    ):
        self.make, self.make_target = make, make_target
        self.updates, self.batch = updates, batch

    def prepare(self, workspace: Workspace) -> None:
        """Measure what suits the outcomes and the inputs; make the detector."""
        self.target = self.make_target(workspace)
        self.target.check(workspace.store)
        require(len(workspace.store) > 0, "the store is empty: expected at least one episode")
        self.target.prepare(workspace.store, workspace.store.ids)
        if "likelihood" not in workspace.facts:
            workspace.facts |= self.target.measure(workspace.store)
            self.target = self.make_target(workspace)
            workspace.facts |= measure(workspace, self.target)
        self.detector = self.make(workspace)
        self._learn = Compiled(self.detector.learn_many, donate=(0,))
        self._losses = Compiled(self.detector.losses)
        self._without = Compiled(self.detector.without_memory)
        self._held: Any = None
        self.scorer = Scorer()
        self.draw = Draw(workspace, self.target)

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        detector = self.detector.init()
        return {
            "detector": detector,
            "best": {name: jnp.copy(own.model) for name, own in detector.items()},
            "lowest": {name: np.array(np.inf) for name in detector},
            "plateau": {name: Plateau.start() for name in detector},
            "chunk": np.array(0),
        }

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Make 50 updates on random steps, and look at the held-out loss."""
        chunk = int(state["chunk"])
        train, _ = workspace.split_ids()
        detector, metrics = self.learn(workspace, state["detector"], train, self.name, chunk)
        check_finite(metrics["skipped_in_a_row"], self.name)
        state, held_out, stalled = self._check(workspace, {**state, "detector": detector})
        state["chunk"], made = np.array(chunk + 1), (chunk + 1) * CHUNK
        out: Metrics = {
            "loss": float(np.mean(np.asarray(metrics["loss"]))),
            "held_out_loss": held_out,
            "updates": made,
            "progress": made / self.updates,
            "compile_s": self._learn.seconds + self._losses.seconds,
        }
        if chunk == 0:
            family = from_description(workspace.facts["likelihood"])
            out["note"] = f"outcomes: {kind_of(family)}"
        return state, out, made >= self.updates or stalled

    def learn(
        self, workspace: Workspace, detector: PyTree, ids: np.ndarray, name: str, count: int
    ) -> tuple[PyTree, Metrics]:
        """Make 50 updates on random steps of some episodes."""
        most = CHUNK_BYTES // (CHUNK * workspace.context * leaf_bytes(workspace.observation_space))
        batch = max(2, min(self.batch, most))
        batches = self.draw(ids, (CHUNK, batch), workspace.rng(name, count))
        return self._learn(detector, batches)

    def _check(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, float, bool]:
        """Look at held-out steps, and keep the best of everything that is learned."""
        if self._held is None:
            rng = workspace.rng(f"{self.name}/held")
            count = steps_within(workspace.observation_space, HELD_OUT, ROOM // workspace.context)
            self._held = self.draw(workspace.split_ids()[1], (count,), rng)
        now = {name: own.model for name, own in state["detector"].items()}
        losses = {n: float(loss) for n, loss in self._losses(now, self._held).items()}
        better = {name: loss < float(state["lowest"][name]) for name, loss in losses.items()}
        best = {n: jnp.copy(now[n]) if better[n] else state["best"][n] for n in now}
        lowest = {n: np.minimum(state["lowest"][n], losses[n]) for n in now}
        plateau = {n: state["plateau"][n].see(losses[n])[0] for n in now}
        state = {**state, "best": best, "lowest": lowest, "plateau": plateau}
        stalled = all(int(own.stalled) >= PATIENCE for own in plateau.values())
        return state, losses["baseline"], stalled

    def finish(self, workspace: Workspace, state: PyTree) -> None:
        """Score every stored step; see whether any outcome is uncertain."""
        highest = self.score(workspace, state["best"], workspace.store.ids)
        finite = workspace.facts["likelihood"]["family"] == "categorical"
        constant = finite and len(workspace.facts["likelihood"]["values"][0]) == 1
        known = finite and self.detector.nats and highest < CERTAIN
        # What answers for labels is the memory's predictor: it is trained, needed or not.
        known = known and workspace.env is not None
        workspace.facts["certain"] = bool(constant or known)

    def restore(self, workspace: Workspace) -> None:
        """Score the data set again: only a run's own store surely still has its scores."""
        if workspace.env is None and workspace.task is None:
            self.score(workspace, workspace.results["detector"], workspace.store.ids)

    def score(self, workspace: Workspace, learned: Learned, ids: np.ndarray) -> float:
        """Write the uncertainty of every step of some episodes into the store.

        Returns:
            The highest score of a step that has an outcome.
        """
        return self.scorer(workspace, self.detector, self.target, learned, ids)

    def without_memory(self, workspace: Workspace, query: Query, target: np.ndarray) -> np.ndarray:
        """Return the baseline's loss of N steps, in nats; N in blocks, so that one program does."""
        count, learned = len(target), workspace.results["detector"]
        most = steps_within(workspace.observation_space, SCORED_AT_ONCE, ROOM // workspace.context)
        size = min(most, 1 << max(count - 1, 0).bit_length())
        place = np.minimum(np.arange(-(-count // size) * size), count - 1).reshape(-1, size)
        losses = []
        for at in place:
            some, own = jax.tree.map(partial(np.take, indices=at, axis=0), (query, target))
            losses.append(np.asarray(self._without(learned, some, own)))
        return np.concatenate(losses)[:count]

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """The best of what the detector has learned."""
        return {"detector": state["best"]}
