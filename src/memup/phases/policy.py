"""Train a policy on the state of a memory, frozen or trained with it."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.acting.rollout import Carry, Episodes, begin, episode_sums, host_rollout, rollout
from memup.agents.base import AbstractAgent
from memup.core.types import Key, Metrics, Trajectory
from memup.envs.base import AbstractEnv
from memup.phases.base import AbstractPhase, Compiled, Workspace, check_finite

RECENT = 1024
ENOUGH_EPISODES = 200
STALLED_STEPS = 400_000


class Recent(NamedTuple):
    """The last iterations' episode sums, newest last: leaves [RECENT]; see `Episodes`."""

    count: np.ndarray
    total: np.ndarray
    success: np.ndarray
    square: np.ndarray

    @classmethod
    def start(cls) -> "Recent":
        """No episodes yet."""
        return cls(*(np.zeros(RECENT) for _ in range(4)))

    def push(self, episodes: Episodes) -> "Recent":
        """Add iterations, leaves [n]."""
        sums = (episodes.count, episodes.total, episodes.success, episodes.square)
        pairs = zip(self, sums, strict=True)
        return Recent(*(np.append(old, np.asarray(new))[-RECENT:] for old, new in pairs))

    def last(self, episodes: int) -> tuple[float, float, float, float]:
        """Return count, mean return, its standard deviation and success of the newest episodes."""
        enough = np.cumsum(self.count[::-1])
        take = int(np.searchsorted(enough, episodes)) + 1
        count, total, success, square = (float(v[-take:].sum()) for v in self)
        if count == 0:
            return 0.0, float("nan"), float("nan"), float("nan")
        mean = total / count
        return count, mean, max(square / count - mean**2, 0.0) ** 0.5, success / count


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
        self.on_device = isinstance(workspace.env, AbstractEnv)
        self.random = _random_return(workspace)
        self.batch = self.environments if self.on_device else workspace.env.n
        if self.rollout == 0:
            # A fact, so that a run that goes on with other episodes keeps its rollout.
            self.rollout = workspace.facts.setdefault("rollout", _about_an_episode(workspace))
        self.stride = self.batch * self.rollout
        # One call makes enough iterations for its overhead not to count.
        self.many = max(1, min(8, 65536 // self.stride)) if self.on_device else 1
        if self.on_device:
            self._iterate = Compiled(partial(self._many, workspace), donate=(0,))
        else:
            self._act = jax.jit(lambda s, c, t, k: self.agent.act(s, c, t, key=k))
            self._iterate = Compiled(self._learn)

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        agent = jax.tree.map(jnp.copy, self.agent.init(key=workspace.key(f"{self.name}/weights")))
        key = workspace.key(f"{self.name}/begin")
        if self.on_device:
            # An observation may be the state itself, and one buffer cannot be donated twice.
            play = jax.tree.map(
                jnp.copy, begin(self.agent, agent, workspace.env, self.batch, key=key)
            )
        else:
            step = workspace.env.reset(workspace.seed)
            play = Carry((), step, self.agent.begin(agent, self.batch))
        running = jnp.zeros(self.batch)
        return {
            "work": (agent, play, running),
            "recent": Recent.start(),
            "iteration": np.array(0),
            "best": np.array(-np.inf),
            "best_at": np.array(0),
            "first": np.array(np.nan),
        }

    def _many(self, workspace: Workspace, work: PyTree, key: Key) -> tuple[PyTree, Any]:
        def one(work: PyTree, key: Key) -> tuple[PyTree, Any]:
            agent, play, running = work
            keys = jax.random.split(key)
            play, trajectory = rollout(
                self.agent, agent, workspace.env, play, self.rollout, key=keys[0]
            )
            agent, running, out = self._learn(agent, running, trajectory, keys[1])
            return (agent, play, running), out

        return jax.lax.scan(one, work, jax.random.split(key, self.many))

    def _learn(
        self, agent: PyTree, running: Any, trajectory: Trajectory, key: Key
    ) -> tuple[PyTree, Any, tuple[Episodes, Metrics]]:
        running, episodes = episode_sums(running, trajectory, self.agent.exploring)
        agent, metrics = self.agent.learn(agent, trajectory, key=key)
        return agent, running, (episodes, metrics)

    def _on_host(self, workspace: Workspace, work: PyTree, key: Key) -> tuple[PyTree, Any]:
        agent, play, running = work
        keys = jax.random.split(key)
        play, trajectory = host_rollout(
            self._act, agent, workspace.env, play, self.rollout, key=keys[0]
        )
        agent, running, out = self._iterate(agent, running, trajectory, keys[1])
        return (agent, play, running), jax.tree.map(lambda a: np.asarray(a)[None], out)

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Make a few iterations of acting and learning."""
        iteration = int(state["iteration"])
        key = workspace.key(self.name, iteration)
        iterate = self._iterate if self.on_device else lambda w, k: self._on_host(workspace, w, k)
        work, (episodes, metrics) = iterate(state["work"], key)
        check_finite(metrics["skipped_in_a_row"], self.name)
        iteration += self.many
        state = {**state, "work": work, "recent": state["recent"].push(episodes)}
        state["iteration"] = np.array(iteration)
        out = {name: float(np.mean(np.asarray(v))) for name, v in metrics.items()}
        state, seen, stop = self._judge(state, iteration * self.stride)
        out |= seen
        out["compile_s"] = self._iterate.seconds
        return state, out, stop or iteration * self.stride >= self.steps

    def _judge(self, state: PyTree, steps: int) -> tuple[PyTree, Metrics, bool]:
        """Look at recent episodes: stop on success, or where the return has stopped rising."""
        count, mean, spread, success = state["recent"].last(ENOUGH_EPISODES)
        out: Metrics = {"env_steps": steps, "progress": steps / max(self.steps, 1)}
        if count == 0:
            return state, out, False
        out |= {"return": mean, "success_rate": success}
        if count < ENOUGH_EPISODES:
            return state, out, False
        if np.isfinite(success):
            return state, out, success >= self.enough
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
