"""The last phases: score the policy on fresh episodes, and explain what the memory knows."""

import numpy as np
from jaxtyping import PyTree

from memup.core.types import Metrics
from memup.evaluation.agent import Evaluation
from memup.evaluation.model import evaluate_held_out
from memup.evaluation.recall import recall
from memup.evaluation.task import evaluate_task
from memup.phases.base import AbstractPhase, Workspace
from memup.phases.detect import Detect
from memup.phases.draw import context
from memup.phases.memory import Memory
from memup.phases.no_training import NoTraining
from memup.phases.policy import Policy

POINTS = 1500


class Evaluate(AbstractPhase):
    """Plays fresh episodes with the trained agent, or asks the trained model about held-out ones.

    Args:
        episodes: how many.
        trained: the phase that made the agent or the model.
        name_of_result: what tables call it.
    """

    name = "evaluate"

    def __init__(self, episodes: int, trained: Policy | NoTraining | Memory, name_of_result: str):
        self.episodes, self.trained, self.result = episodes, trained, name_of_result

    def prepare(self, workspace: Workspace) -> None:
        """Make what plays."""
        if not isinstance(self.trained, Memory):
            self.evaluation = Evaluation(
                self.trained.agent,
                workspace.env,
                self.episodes,
                workspace.seed,
                workspace.store.mean_length,
            )

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        if isinstance(self.trained, Memory):
            return ()
        return self.evaluation.start(workspace.results["agent"])

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Ask the model, in one piece; or let the agent play for about a second."""
        about = {"name": self.result, "seed": workspace.seed}
        if workspace.task is not None and isinstance(self.trained, Memory):
            model = self.trained.learner.model(workspace.results["model"])
            classes = workspace.facts.get("classes")
            task, asked = workspace.task, workspace.context
            row = evaluate_task(model, task, asked, self.episodes, workspace.seed, classes=classes)
            return state, {"eval": about | row}, True
        if isinstance(self.trained, Memory):
            reader, store = self.trained.reader(workspace), workspace.store
            row = evaluate_held_out(reader, store, workspace.split_ids(), self.episodes)
            return state, {"eval": about | row}, True
        state, done = self.evaluation.advance(workspace.results["agent"], state)
        out: Metrics = self.evaluation.progress(state)
        if done:
            out["eval"] = about | self.evaluation.row(state)
        return state, out, done


class Explain(AbstractPhase):
    """Makes the picture of the method: one held-out episode, its uncertainty, targets and memory.

    Args:
        detect: the phase that trained the detector.
        memory: the phase that trained the memory.
    """

    name = "explain"

    def __init__(self, detect: Detect, memory: Memory):
        self.detect, self.memory = detect, memory

    def start(self, workspace: Workspace) -> PyTree:
        """Nothing to remember."""
        return ()

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Ask about the most chosen target of an episode from every step before it."""
        episode, own = self._episode(workspace), self.memory.windows
        if episode is None:
            return state, {}, True
        score = workspace.store.scores(episode)
        outcomes = len(score) - own.target.lead
        every = own.selector.select(
            score[:outcomes], np.arange(outcomes), rng=workspace.rng(f"{self.name}/select")
        )
        steps, counts = np.unique(every.index[every.weight > 0], return_counts=True)
        target = int(steps[np.argmax(counts)])
        query, loss = self._ask(workspace, episode, target)
        shown = _thin(score[:outcomes])
        most = np.argsort(-counts)[:20]
        out = {
            "length": outcomes,
            "t": shown,
            "uncertainty": score[shown],
            "targets": [{"step": int(steps[i]), "count": int(counts[i])} for i in sorted(most)],
            "query": query,
            "loss_with_memory": loss,
            "loss_without_memory": [self._without(workspace, episode, target)] * len(query),
            "target_step": target,
            "unit": "nats",
            "events": [],
        }
        return state, {"explain": out}, True

    def _episode(self, workspace: Workspace) -> int | None:
        """Return the newest held-out episode that has an outcome and was scored, if any."""
        lead = self.memory.windows.target.lead
        for episode in workspace.split_ids()[1][::-1].tolist():
            score = workspace.store.scores(episode)
            if len(score) > lead and np.isfinite(score).all():
                return episode
        return None

    def _ask(
        self, workspace: Workspace, episode: int, target: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return steps up to the target, and the target's loss from the memory at each."""
        stride = max(1, target // POINTS)
        reader = self.memory.reader(workspace)
        return recall(reader, workspace.store, {episode: target}, stride)[0]

    def _without(self, workspace: Workspace, episode: int, target: int) -> float:
        where = np.array([episode]), np.array([target])
        query = context(workspace, workspace.store.global_rows(*where))
        value = self.memory.windows.target.values(workspace.store, *where)
        return float(self.detect.without_memory(workspace, query, value)[0])


def _thin(score: np.ndarray) -> np.ndarray:
    """Choose steps to draw: of every stretch the most uncertain one, so that no peak is lost."""
    edges = np.unique(np.linspace(0, len(score), min(POINTS, len(score)) + 1).astype(int))
    starts = edges[:-1]
    return np.array(
        [a + int(np.argmax(score[a:b])) for a, b in zip(starts, edges[1:], strict=True)]
    )
