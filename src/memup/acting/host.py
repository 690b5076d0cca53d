"""Copies of an environment that lives in this process: they are stepped, and cannot be saved."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.acting.rollout import Carry, Stretch
from memup.acting.stats import EpisodeStats
from memup.acting.vector import Learn, Training, VectorEnv
from memup.agents.base import AbstractAgent
from memup.core.compiled import Compiled
from memup.core.errors import MemupError
from memup.core.types import Key, Metrics, TimeStep, Trajectory

Act = Callable[..., tuple[PyTree, Any, Any]]


class HostVectorEnv(VectorEnv):
    """Copies that Gymnasium steps, with one compiled `act` a step.

    Args:
        env: has `n`, both spaces, `reset(seed)`, `step(actions)` and `close()`, such as a
            `GymnasiumVector`.
    """

    restorable = False

    def __init__(self, env: Any):
        self.env, self.n = env, env.n
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self._programs: dict[Any, tuple[AbstractAgent, Act]] = {}

    def reset(self, seed: int) -> TimeStep:
        """See VectorEnv."""
        return self.env.reset(seed)

    def step(self, actions: Any) -> TimeStep:
        """See VectorEnv."""
        return self.env.step(jax.tree.map(np.asarray, actions))

    def snapshot(self) -> PyTree:
        """Refuse; see VectorEnv."""
        raise MemupError(
            f"{type(self.env).__name__}: environments on the host cannot be saved; "
            "expected one on the device"
        )

    def restore(self, state: PyTree) -> TimeStep:
        """Refuse; see VectorEnv."""
        return self.snapshot()

    def begin(self, agent: AbstractAgent, state: PyTree, *, key: Key) -> Carry:
        """See VectorEnv."""
        seed = int(jax.random.bits(key) >> 1)
        return Carry((), self.env.reset(seed), agent.begin(state, self.n))

    def rollout(
        self, agent: AbstractAgent, state: PyTree, carry: Carry, length: int, *, key: Key
    ) -> tuple[Carry, Trajectory]:
        """See VectorEnv."""
        act, actor, step = self._act(agent, greedy=False), carry.agent, carry.step
        kept = []
        for now in range(length):
            actor, action, extras = act(state, actor, step, key, np.int32(now))
            kept.append((step, action, extras))
            step = self.step(action)
        played = Trajectory(*_stack(kept), step, carry.agent, actor)
        return Carry((), step, actor), played

    def play_whole(
        self,
        agent: AbstractAgent,
        state: PyTree,
        carry: Carry,
        stats: EpisodeStats,
        length: int,
        *,
        key: Key,
    ) -> tuple[Carry, EpisodeStats, Stretch]:
        """See VectorEnv."""
        act, actor, step = self._act(agent, greedy=False), carry.agent, carry.step
        kept: list[Any] = []
        while len(kept) < length and not stats.over.all():
            actor, action, _ = act(state, actor, step, key, np.int32(len(kept)))
            kept.append((step, action, ~stats.over))
            stats = stats.see_first(step)
            if not stats.over.all():  # no step that nobody needs
                step = self.step(action)
        return Carry((), step, actor), stats, Stretch(*_stack(kept), len(kept))

    def play_on(
        self,
        agent: AbstractAgent,
        state: PyTree,
        carry: Carry,
        stats: EpisodeStats,
        steps: int,
        *,
        key: Key,
    ) -> tuple[Carry, EpisodeStats]:
        """See VectorEnv."""
        act, actor, step, done = self._act(agent, greedy=True), carry.agent, carry.step, 0
        while done < steps and not stats.over.all():
            actor, action, _ = act(state, actor, step, key, np.int32(done))
            step = self.step(action)
            stats, done = stats.see_first(step), done + 1
        return Carry((), step, actor), stats

    def stats(self, kept: int = 1) -> EpisodeStats:
        """See VectorEnv."""
        return EpisodeStats.start(self.n, kept, numpy=True)

    def training(self, agent: AbstractAgent, learn: Learn, length: int) -> "HostTraining":
        """See VectorEnv."""
        return HostTraining(self, agent, learn, length)

    def close(self) -> None:
        """See VectorEnv."""
        self.env.close()

    def _act(self, agent: AbstractAgent, greedy: bool) -> Act:
        """Return the compiled `act`; the agent is kept, so that its id stays its."""
        which = id(agent), greedy
        if which not in self._programs:

            def act(state: PyTree, actor: PyTree, step: TimeStep, key: Key, number: Any) -> Any:
                key = jax.random.fold_in(key, number)
                return agent.act(state, actor, step, key=key, greedy=greedy)

            self._programs[which] = agent, jax.jit(act)
        return self._programs[which][1]


class HostTraining(Training):
    """One iteration a call: steps on the host, then a compiled `learn`."""

    iterations = 1

    def __init__(self, env: HostVectorEnv, agent: AbstractAgent, learn: Learn, length: int):
        self.env, self.agent, self.length = env, agent, length

        def learn_and_see(state: PyTree, stats: EpisodeStats, played: Trajectory, key: Key) -> Any:
            state, metrics = learn(state, played, key)
            return state, stats.see_many(played.step), metrics

        self._learn = Compiled(learn_and_see)

    def __call__(self, work: PyTree, key: Key) -> tuple[PyTree, Metrics]:
        """See Training."""
        state, carry, stats = work
        keys = jax.random.split(key)
        carry, played = self.env.rollout(self.agent, state, carry, self.length, key=keys[0])
        state, stats, metrics = self._learn(state, stats, played, keys[1])
        return (state, carry, stats), jax.tree.map(lambda a: np.asarray(a)[None], metrics)

    @property
    def compile_s(self) -> float:
        """See Training."""
        return self._learn.seconds


def _stack(kept: list[Any]) -> Any:
    return jax.tree.map(lambda *leaves: np.stack([np.asarray(x) for x in leaves]), *kept)
