"""Train memory and predictor on stored episodes: MemUP's first phase."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.core.compiled import Compiled
from memup.core.spaces import leaf_bytes
from memup.core.tree import Params
from memup.core.types import Key, Metrics, Window
from memup.evaluation.reader import Reader
from memup.method.losses import WINDOW, losses_of_episodes
from memup.method.orders.base import AbstractOrder, Visit
from memup.method.update import MemUP, initial_carry
from memup.method.windows import Windows
from memup.phases.base import AbstractPhase, Workspace, check_finite
from memup.phases.detect import Detect
from memup.phases.plateau import Plateau

CHECK_EVERY = 5
CHUNK_BYTES = 1 << 28
SOLVED = 0.005
LEARNED = 0.7
LEAST_GAIN = 0.3
BY_HEART = 0.2
NOTHING = "nothing here is uncertain: no memory needed"
KNOWN = "the episodes trained on are known by heart, others are not: more episodes would help"


class Memory(AbstractPhase):
    """Learns to remember what the chosen targets need.

    Args:
        detect: the phase that scored the episodes, and knows the loss without a memory.
        make: (workspace, key) -> learner and the parameters of its model; called once facts
            are known.
        windows: (workspace, order) -> what gathers windows.
        make_order: workspace -> which windows each row sees.
        batch_size: B.
        updates: at most.
        chunk: updates a compiled call.
        patience: checks without improvement before it stops; 0 makes all updates.
    """

    name = "memory"

    def __init__(
        self,
        detect: Detect,
        make: Callable[[Workspace, Key], tuple[MemUP, Params]],
        windows: Callable[[Workspace, AbstractOrder], Windows],
        make_order: Callable[[Workspace], AbstractOrder],
        batch_size: int,
        updates: int,
        chunk: int,
        patience: int,
    ):
        self.make, self.make_windows, self.make_order = make, windows, make_order
        self.batch_size, self.updates, self.chunk = batch_size, updates, min(chunk, updates)
        self.patience, self.detect = patience, detect

    def prepare(self, workspace: Workspace) -> None:
        """Make the learner."""
        self.learner, self.params = self.make(workspace, workspace.key(f"{self.name}/weights"))
        self.categories = self.learner.model(self.params).likelihood.finite
        self.order = self.make_order(workspace)
        self.windows = self.make_windows(workspace, self.order)
        fit = min(self.chunk, _updates_that_fit(workspace, self.windows, self.batch_size))
        # Of images few updates fit into a call; a check is worth as many updates as ever.
        self.check_every = CHECK_EVERY * max(1, round(self.chunk / fit))
        self.chunk = fit
        # Whether what is chosen changes while it learns.
        self.rescored = self.detect.detector.rescoring == "per chunk"
        self.moving = self.rescored or self.windows.selector.adapts
        self._learn = Compiled(self.learner.learn_many, donate=(0,))
        self._evaluate = Compiled(self.learner.evaluate_many)
        self._next: tuple[int, PyTree, Window] | None = None
        self._held: Any = None

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        params = jnp.copy(self.params)
        return {
            "train": self.learner.init(params, self.batch_size),
            "best": jnp.copy(self.params),
            "cursor": self.order.init(self.batch_size),
            "plateau": Plateau.start(),
            "chunk": np.array(0),
            "selector": self.windows.selector.start(),
            "known": self.windows.selector.start(),
        }

    def learn(
        self, workspace: Workspace, state: PyTree, ahead: bool = True
    ) -> tuple[PyTree, Metrics]:
        """Make one chunk of updates.

        What the selector learns of a chunk's losses is known to the one after the next: the next
        one's windows are gathered before the device has told these losses.

        Args:
            workspace: has the store.
            state: see `start`.
            ahead: gather the next chunk's windows while the device works; not where the store
                changes before it, as a run that goes on from here would gather others.

        Returns:
            The state and the metrics of the updates.
        """
        chunk = int(state["chunk"])
        cursor, windows = self._gather(workspace, state, chunk)
        train, metrics = self._learn(state["train"], windows)
        state = {**state, "train": train, "cursor": cursor, "chunk": np.array(chunk + 1)}
        selector, state["known"] = self.windows.selector, state["selector"]
        if ahead and not self.rescored:
            self.windows.known = state["known"]
            self._next = (chunk + 1, *self._build(workspace, cursor, chunk + 1))
        if selector.adapts:
            rng = workspace.rng(f"{self.name}/selector", chunk)
            losses = np.asarray(metrics["losses"])
            state["selector"] = selector.observe(state["selector"], windows, losses, rng=rng)
        return state, metrics

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Make one chunk of updates; at every fifth look at the held-out loss."""
        if workspace.facts.get("certain"):
            out = {"updates": 0, "progress": 1.0, "loss": 0.0, "note": NOTHING}
            return state, out, True
        state, metrics = self.learn(workspace, state)
        loss = float(np.mean(np.asarray(metrics["loss"])))
        made = int(state["chunk"]) * self.chunk
        last = made + self.chunk > self.updates
        out: Metrics = {"updates": made, "progress": made / self.updates}
        out["compile_s"] = self._learn.seconds + self._evaluate.seconds
        out["env_steps"] = workspace.store.steps
        if int(state["chunk"]) % self.check_every == 0 or last:
            state, checked, stop = self._check(workspace, state, loss)
            out |= checked
            last = last or stop
        check_finite(metrics["skipped_in_a_row"], self.name)
        out["loss"] = loss
        out["skipped"] = int(np.asarray(metrics["skipped"])[-1])
        out["sequence_steps"] = made * self.batch_size * self.windows.length
        return state, out, last

    def _check(
        self, workspace: Workspace, state: PyTree, loss: float
    ) -> tuple[PyTree, Metrics, bool]:
        """Look at held-out episodes; keep the best model; decide whether to stop."""
        held, without = self.held_out(workspace, state)
        plateau, better = state["plateau"].see(held)
        best = jnp.copy(state["train"].model) if better else state["best"]
        out: Metrics = {"held_out_loss": held, "loss_without_memory": without}
        stop = False
        if self.patience:
            least = float(plateau.best)
            solved, learned = progress(self.categories, held, least, without)
            by_heart = self.categories and loss < BY_HEART * least
            stop = solved or ((learned or by_heart) and int(plateau.stalled) >= self.patience)
            if stop and by_heart and not solved:
                out["note"] = KNOWN
        if self.order.warming_up(state["cursor"]):
            # What comes later is judged by itself.
            plateau, stop = Plateau.start(), False
        return {**state, "best": best, "plateau": plateau}, out, stop

    def held_out(self, workspace: Workspace, state: PyTree) -> tuple[float, float]:
        """Return the mean loss of held-out targets, and the same without a memory."""
        if self._held is None or self.moving:
            self.windows.known = state["selector"]
            self._held = self._held_windows(workspace, state)
        windows, rows, without = self._held
        _, losses = self._evaluate(state["train"].model, rows, windows)
        weight = windows.weight
        return float((np.asarray(losses) * weight).sum() / max(weight.sum(), 1)), without

    def _held_windows(self, workspace: Workspace, state: PyTree) -> tuple[Window, PyTree, float]:
        own, (_, ids) = self.windows, workspace.split_ids()
        lengths, rng = workspace.store.lengths(ids), workspace.rng(f"{self.name}/held-order")
        held = self.order.held_out(ids, lengths, window=own.length, rng=rng)
        if self.rescored:
            ids = np.unique([v.episode for v in held.visits])
            self.rescore(workspace, state["train"].slow, ids)
        stride = min(max(own.stride, held.stride), held.window)
        windows = replace(own, selector=own.selector.greedy(), length=held.window, stride=stride)
        stretches = held.visits, held.rows, held.count
        batch = windows.build(*stretches, workspace.rng(f"{self.name}/held"))
        memory = self.learner.model(self.params).memory
        return batch, initial_carry(memory, held.rows), self._without(workspace, batch)

    def _without(self, workspace: Workspace, batch: Window) -> float:
        """Return the mean loss, without a memory, of the very targets of some windows."""
        axes, asked = batch.weight.ndim, np.flatnonzero(batch.weight.ravel())
        if not len(asked):
            return 0.0
        questions = batch.context, batch.target
        flat = jax.tree.map(lambda a: a.reshape(-1, *a.shape[axes:])[asked], questions)
        return float(self.detect.without_memory(workspace, *flat).mean())

    def _gather(self, workspace: Workspace, state: PyTree, chunk: int) -> tuple[PyTree, Window]:
        if self._next is not None and self._next[0] == chunk:
            return self._next[1:]
        self.windows.known = state["known"]
        if self.rescored:
            _, visits = self._visits(workspace, state["cursor"], chunk)
            # All of them, not only the new ones: then scores depend on this state alone, and a
            # run that was killed and goes on finds the same.
            ids = np.unique([v.episode for v in visits]).astype(np.int64)
            self.rescore(workspace, state["train"].slow, ids)
        return self._build(workspace, state["cursor"], chunk)

    def _visits(
        self, workspace: Workspace, cursor: PyTree, chunk: int
    ) -> tuple[PyTree, list[Visit]]:
        train, _ = workspace.split_ids()
        steps = self.chunk * self.windows.length
        rng = workspace.rng(self.name, chunk)
        return self.order.advance(cursor, steps, train, workspace.store.lengths(train), rng=rng)

    def _build(self, workspace: Workspace, cursor: PyTree, chunk: int) -> tuple[PyTree, Window]:
        after, visits = self._visits(workspace, cursor, chunk)
        rng = workspace.rng(f"{self.name}/select", chunk)
        return after, self.windows.build(visits, self.batch_size, self.chunk, rng)

    def rescore(self, workspace: Workspace, params: Params, ids: np.ndarray) -> None:
        """Score episodes by a model with memory, a fixed number at a time."""
        count = -(-int(workspace.store.lengths().max()) // WINDOW)
        for low in range(0, len(ids), self.batch_size):
            part = ids[low : low + self.batch_size]
            padded = np.pad(part, (0, self.batch_size - len(part)), mode="edge")
            losses = losses_of_episodes(
                self.learner, params, self.windows, padded, count, self._evaluate
            )
            workspace.store.set_scores(part, self.detect.detector.rescore(losses[: len(part)]))
        self.windows.forget_plans()

    def reader(self, workspace: Workspace) -> Reader:
        """Return what asks the trained model about stored episodes."""
        model = self.learner.model(workspace.results["model"])
        spaces = workspace.observation_space, workspace.action_space
        return Reader(model, *spaces, workspace.context, self.windows.target)

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """The best model, or the last one where all updates were asked for."""
        return {"model": state["best"] if self.patience else state["train"].model}


def _updates_that_fit(workspace: Workspace, windows: Windows, rows: int) -> int:
    """Return how many updates' windows take no more than 256 MiB, at least one."""
    asked = len(windows.query) * windows.selector.width * workspace.context
    step = leaf_bytes(workspace.observation_space)
    return max(1, CHUNK_BYTES // (rows * (windows.length + asked) * step))


def progress(categories: bool, held: float, best: float, without: float) -> tuple[bool, bool]:
    """Say whether nothing is left to learn, and whether something was learned at all.

    A loss that memory has not yet lowered may be at the plateau before the insight: stalling counts
    only after it. The nats of real numbers have no zero, so only differences count there.

    Args:
        categories: whether outcomes are.
        held: loss on held-out episodes, in nats.
        best: the lowest of these so far.
        without: loss of the same outcomes without a memory, in nats.
    """
    if categories:
        return held < SOLVED * without, best < LEARNED * without
    return False, best < without - LEAST_GAIN
