"""Copies of an environment that lives on the device: the carry is all there is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.acting.rollout import (
    Carry,
    Span,
    Stretch,
    begin,
    play_on,
    play_whole,
    rollout,
    step_all,
)
from memup.acting.stats import EpisodeStats
from memup.acting.vector import Learn, Training, VectorEnv
from memup.agents.base import AbstractAgent
from memup.core.compiled import Compiled
from memup.core.errors import require
from memup.core.types import Key, Metrics, TimeStep, Trajectory
from memup.envs.base import AbstractEnv

LEAST_SPLIT = 32
STEPS_A_CALL = 65_536
MOST_ITERATIONS = 8


class DeviceVectorEnv(VectorEnv):
    """Copies by `vmap`; everything is compiled once for each agent.

    Args:
        env: of one copy.
        n: copies.
    """

    restorable = True

    def __init__(self, env: AbstractEnv, n: int):
        self.env, self.n = env, n
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self._programs: dict[Any, tuple[AbstractAgent | None, Callable[..., Any]]] = {}
        self._now: Any = None

    def reset(self, seed: int) -> TimeStep:
        """See VectorEnv."""
        program = self._program("reset", None, self._begin_all)
        self._now = program(jax.random.key(seed))
        return self._now[1].step

    def step(self, actions: Any) -> TimeStep:
        """See VectorEnv."""
        require(self._now is not None, "step before reset: expected reset(seed) first")
        self._now = self._program("step", None, self._step_all)(self._now, actions)
        return self._now[1].step

    def snapshot(self) -> PyTree:
        """See VectorEnv."""
        return self._now

    def restore(self, state: PyTree) -> TimeStep:
        """See VectorEnv."""
        self._now = state
        return state[1].step

    def _begin_all(self, key: Key) -> tuple[Key, Carry]:
        key, begin_key = jax.random.split(key)
        keys = jax.random.split(begin_key, self.n)
        return key, Carry(*jax.vmap(lambda k: self.env.reset(key=k))(keys), ())

    def _step_all(self, now: tuple[Key, Carry], actions: Any) -> tuple[Key, Carry]:
        key, step_key = jax.random.split(now[0])
        keys = jax.random.split(step_key, self.n)
        actions = jax.tree.map(jnp.asarray, actions)
        return key, Carry(*step_all(self.env, now[1], actions, keys), ())

    def begin(self, agent: AbstractAgent, state: PyTree, *, key: Key) -> Carry:
        """See VectorEnv."""
        make = lambda s, k: begin(agent, s, self.env, self.n, key=k)  # noqa: E731
        # An observation may be the state itself, and one buffer cannot be donated twice.
        return jax.tree.map(jnp.copy, self._program("begin", agent, make)(state, key))

    def rollout(
        self, agent: AbstractAgent, state: PyTree, carry: Carry, length: int, *, key: Key
    ) -> tuple[Carry, Trajectory]:
        """See VectorEnv."""
        play = lambda s, c, k: rollout(agent, s, self.env, c, length, key=k)  # noqa: E731
        return self._program(("rollout", length), agent, play)(state, carry, key)

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
        play = lambda s, c, t, k: play_whole(agent, s, self.env, c, t, length, key=k)  # noqa: E731
        carry, stats, kept = self._program(("whole", length), agent, play)(state, carry, stats, key)
        played = int(kept.steps)
        step, action, counted = jax.tree.map(lambda a: np.asarray(a)[:played], kept[:3])
        return carry, stats, Stretch(step, action, counted, played)

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
        """See VectorEnv.

        Each step is a chain of small products, which two threads share badly: so each of two
        threads plays half of the copies. Always two halves, as drawn actions depend on the parts.
        """
        split = jax.default_backend() == "cpu" and self.n >= LEAST_SPLIT and not self.n % 2
        begun = np.max(stats.running_length)  # a copy that is not over has played all the steps
        run = lambda s, c, t, p, k: play_on(agent, s, self.env, c, t, p, key=k)  # noqa: E731
        program = self._program("on", agent, run)

        def play(part: np.ndarray) -> tuple[Carry, EpisodeStats]:
            own = jax.tree.map(lambda a: a[part[0] : part[-1] + 1], (carry, stats))
            span = Span(self.n, *map(jnp.int32, (part[0], begun, steps)))
            return jax.block_until_ready(program(state, *own, span, key))

        parts = np.split(np.arange(self.n), 2 if split else 1)
        with ThreadPoolExecutor(len(parts)) as pool:
            played = list(pool.map(play, parts))
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *played)

    def stats(self, kept: int = 1) -> EpisodeStats:
        """See VectorEnv."""
        return EpisodeStats.start(self.n, kept)

    def training(self, agent: AbstractAgent, learn: Learn, length: int) -> "DeviceTraining":
        """See VectorEnv."""
        return DeviceTraining(self, agent, learn, length)

    def close(self) -> None:
        """Nothing is open."""

    def _program(
        self, name: Any, agent: AbstractAgent | None, function: Callable[..., Any]
    ) -> Callable[..., Any]:
        """Return a function compiled for an agent; the agent is kept, so that its id stays its."""
        which = name, id(agent)
        if which not in self._programs:
            self._programs[which] = agent, jax.jit(function)
        return self._programs[which][1]


class DeviceTraining(Training):
    """Iterations in one scan: a call makes enough of them for its overhead not to count."""

    def __init__(self, env: DeviceVectorEnv, agent: AbstractAgent, learn: Learn, length: int):
        self.iterations = max(1, min(MOST_ITERATIONS, STEPS_A_CALL // (env.n * length)))
        one = partial(self._one, env, agent, learn, length)
        self._many = Compiled(
            lambda work, key: jax.lax.scan(one, work, jax.random.split(key, self.iterations)),
            donate=(0,),
        )

    def _one(
        self,
        env: DeviceVectorEnv,
        agent: AbstractAgent,
        learn: Learn,
        length: int,
        work: PyTree,
        key: Key,
    ) -> tuple[PyTree, Metrics]:
        state, carry, stats = work
        keys = jax.random.split(key)
        carry, played = rollout(agent, state, env.env, carry, length, key=keys[0])
        state, metrics = learn(state, played, keys[1])
        return (state, carry, stats.see_many(played.step)), metrics

    def __call__(self, work: PyTree, key: Key) -> tuple[PyTree, Metrics]:
        """See Training."""
        return self._many(work, key)

    @property
    def compile_s(self) -> float:
        """See Training."""
        return self._many.seconds
