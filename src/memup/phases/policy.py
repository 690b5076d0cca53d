"""Train a policy on the state of a memory, frozen or trained with it."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.acting.make import vector_env
from memup.acting.stats import EpisodeStats
from memup.agents.base import AbstractAgent
from memup.core.types import Key, Metrics, Trajectory
from memup.phases.base import AbstractPhase, Workspace, check_finite

ENOUGH_EPISODES = 200
STALLED_STEPS = 400_000


class Policy(AbstractPhase):
    """Lets an agent act and learn until it succeeds or its steps are used up.

    Args:
        make: workspace -> agent; called when what earlier phases left is there.
        steps: environment steps at most.
        environments: copies on the device; a host environment has its own number.
        rollout: steps of each before the agent learns; 0 takes about one stored episode: with
            rare rewards a shorter rollout often holds none, and learns from noise.
        enough: share of recent episodes that must succeed for an early stop.
    """

    name = "policy"

    def __init__(
        self,
        make: Callable[[Workspace], AbstractAgent],
        steps: int,
        environments: int,
        rollout: int,
        enough: float,
    ):
        self.make, self.steps, self.environments = make, steps, environments
        self.rollout, self.enough = rollout, enough

    def prepare(self, workspace: Workspace) -> None:
        """Make the agent and its compiled iteration."""
        self.agent = self.make(workspace)
        self.env = vector_env(workspace.env, self.environments)
        self.random = _random_return(workspace)
        if self.rollout == 0:
            # A fact, so that a run that goes on with other episodes keeps its rollout.
            self.rollout = workspace.facts.setdefault("rollout", _about_an_episode(workspace))
        self.stride = self.env.n * self.rollout
        self._iterate = self.env.training(self.agent, self._learn, self.rollout)
        self.iterations = self._iterate.iterations

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        agent = jax.tree.map(jnp.copy, self.agent.init(key=workspace.key(f"{self.name}/weights")))
        play = self.env.begin(self.agent, agent, key=workspace.key(f"{self.name}/begin"))
        counted = self.env.n - int(self.agent.exploring * self.env.n)
        return {
            "work": (agent, play, EpisodeStats.start(self.env.n, -(-ENOUGH_EPISODES // counted))),
            "iteration": np.array(0),
            "best": np.array(-np.inf),
            "best_at": np.array(0),
            "first": np.array(np.nan),
        }

    def _learn(self, agent: PyTree, trajectory: Trajectory, key: Key) -> tuple[PyTree, Metrics]:
        return self.agent.learn(agent, trajectory, key=key)

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Make a few iterations of acting and learning."""
        iteration = int(state["iteration"])
        key = workspace.key(self.name, iteration)
        work, metrics = self._iterate(state["work"], key)
        check_finite(metrics["skipped_in_a_row"], self.name)
        iteration += self.iterations
        state = {**state, "work": work, "iteration": np.array(iteration)}
        out = {name: float(np.mean(np.asarray(v))) for name, v in metrics.items()}
        state, seen, stop = self._judge(state, iteration * self.stride)
        out |= seen
        out["compile_s"] = self._iterate.compile_s
        return state, out, stop or iteration * self.stride >= self.steps

    def _judge(self, state: PyTree, steps: int) -> tuple[PyTree, Metrics, bool]:
        """Look at recent episodes: stop on success, or where the return has stopped rising."""
        seen = state["work"][2].summary(self.agent.exploring)
        out: Metrics = {"env_steps": steps, "progress": steps / max(self.steps, 1)}
        if seen.episodes == 0:
            return state, out, False
        mean, spread = seen.return_mean, seen.return_std
        out |= {"return": mean, "success_rate": seen.success_rate}
        if seen.episodes < ENOUGH_EPISODES:
            return state, out, False
        if seen.reported:
            return state, out, seen.all_success >= self.enough
        first = min(float(np.nan_to_num(state["first"], nan=mean)), self.random)
        state = {**state, "first": np.array(first)}
        best = float(state["best"])
        if not np.isfinite(best) or mean > best + 0.02 * abs(best - first):
            return {**state, "best": np.array(mean), "best_at": np.array(steps)}, out, False
        # A return that has not yet risen clearly may rise later: only then does stalling count.
        learned = best > first + 0.5 * max(spread, 1e-6)
        stalled = steps - int(state["best_at"]) >= STALLED_STEPS
        return state, out, learned and stalled and self.enough <= 1

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """The agent's state."""
        return {"agent": state["work"][0]}


def _about_an_episode(workspace: Workspace) -> int:
    """Return the mean length of the stored episodes, in whole 128s, from 128 to 2048."""
    return int(np.clip(-(-workspace.store.mean_length // 128), 1, 16)) * 128


def _random_return(workspace: Workspace) -> float:
    """Return what the first stored episodes, of random play, earned on average."""
    ids = workspace.store.ids[:512]
    totals = [float(workspace.store.episode(int(i))["reward"].sum()) for i in ids]
    return float(np.mean(totals)) if totals else float("inf")
