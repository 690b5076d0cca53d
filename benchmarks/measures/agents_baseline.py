"""A baseline's seeds side by side: init, rollout and learning are pure, so vmap runs them."""

import time
from functools import partial
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.acting.rollout import begin, rollout
from memup.acting.stats import EpisodeStats
from memup.agents.base import AbstractAgent
from memup.build.job import build
from memup.envs.base import AbstractEnv
from memup.specs.spec import RunSpec

GOOD, RECENT = 0.95, 200
EPISODES = 4
SHARE = 0.1


def run(spec: RunSpec, seeds: list[int], budget: int, deadline: float, longest: int) -> dict:
    """Train until all seeds succeed, the steps are used up or the time is over; then judge.

    Args:
        spec: of the run; its seed is not used.
        seeds: run side by side.
        budget: environment steps of a seed.
        deadline: on the clock of `time.perf_counter`.
        longest: steps of an episode at most.
    """
    start = time.perf_counter()
    job = build(spec)
    policy = job.phases[0]
    policy.prepare(job.workspace)
    agent, env = policy.agent, job.workspace.env
    assert isinstance(env, AbstractEnv)
    keys = jax.vmap(jax.random.key)(np.array(seeds))
    training = Training(agent, env, spec["agent.environments"], policy.rollout, policy.iterations)
    work = begin_all(training, keys)
    iterate = jax.jit(jax.vmap(training.many, (0, 0)), donate_argnums=0).lower(work, keys)
    iterate = iterate.compile()
    log, compile_s = (
        Log(len(seeds), start, spec["agent.stop_at_success"]),
        time.perf_counter() - start,
    )
    judge_s = SHARE * (deadline - start)
    calls, stopped = 0, "budget"
    while calls * training.stride < budget:
        if time.perf_counter() > deadline - judge_s:
            stopped = "time"
            break
        calls += 1
        work, recent = iterate(work, jax.vmap(partial(jax.random.fold_in, data=calls))(keys))
        log.add(recent, calls * training.stride)
        if log.all_good():
            stopped = "learned"
            break
    steps = calls * training.stride
    return {
        **judge(agent, env, work[0], keys, spec["agent.environments"], EPISODES * longest),
        "env_steps": steps,
        "steps_to_95": log.steps,
        "updates_to_95": [s and round(s * updates(spec) / training.each) for s in log.steps],
        "wall_to_95_s": log.walls,
        "updates": round(steps * updates(spec) / training.each),
        "steps_per_s": round(len(seeds) * steps / (time.perf_counter() - start - compile_s)),
        "compile_s": round(compile_s, 1),
        "stopped": stopped,
    }


def updates(spec: RunSpec) -> int:
    """Return the updates after each rollout."""
    if "agent.updates" in spec:
        return spec["agent.updates"]
    return spec.get("agent.epochs", 1) * spec.get("agent.minibatches", 1)


def begin_all(training: "Training", keys: Any) -> PyTree:
    """Begin every seed, one after the other.

    Side by side, the orthogonal matrices are decomposed by calls of LAPACK that each wait for
    others in the same pool of threads: with two of those, some batches never end (jaxlib 0.10.2).
    """
    return jax.jit(lambda keys: jax.lax.map(training.begin, keys))(keys)


class Training:
    """What one seed does; pure, for vmap."""

    def __init__(self, agent: AbstractAgent, env: AbstractEnv, batch: int, length: int, many: int):
        self.agent, self.env, self.batch, self.length = agent, env, batch, length
        self.calls, self.each = many, batch * length
        self.stride = many * self.each
        self.counted = batch - int(agent.exploring * batch)

    def begin(self, key: Any) -> PyTree:
        """Return the agent's state, its carry and how its episodes go."""
        keys = jax.random.split(key)
        state = self.agent.init(key=keys[0])
        carry = begin(self.agent, state, self.env, self.batch, key=keys[1])
        return state, carry, EpisodeStats.start(self.batch, -(-RECENT // self.counted))

    def many(self, work: PyTree, key: Any) -> tuple[PyTree, Any]:
        """Act and learn several times."""

        def one(work: PyTree, key: Any) -> tuple[PyTree, Any]:
            state, carry, stats = work
            keys = jax.random.split(key)
            carry, played = rollout(self.agent, state, self.env, carry, self.length, key=keys[0])
            state, _ = self.agent.learn(state, played, key=keys[1])
            return (state, carry, stats.see_many(played.step)), ()

        work, _ = jax.lax.scan(one, work, jax.random.split(key, self.calls))
        known = work[2].successes[-self.counted :]
        return work, (jax.numpy.isfinite(known).sum(), jax.numpy.nansum(known))


class Log:
    """When each seed reached the goal over its recent episodes."""

    def __init__(self, seeds: int, start: float, enough: float):
        self._start, self._enough = start, enough
        self.steps: list[int | None] = [None] * seeds
        self.walls: list[float | None] = [None] * seeds
        self.rates = np.zeros(seeds)

    def add(self, recent: Any, steps: int) -> None:
        """Take recent episodes and successes, [seeds]; this waits for the call to end."""
        count, success = (np.asarray(leaf) for leaf in recent)
        wall = time.perf_counter() - self._start
        self.rates = np.where(count >= RECENT, success / np.maximum(count, 1), 0.0)
        for seed, rate in enumerate(self.rates):
            if rate >= GOOD and self.steps[seed] is None:
                self.steps[seed], self.walls[seed] = steps, round(wall, 1)

    def all_good(self) -> bool:
        """Say whether every seed's policy is as good as it will get."""
        return bool(self.rates.min() >= self._enough)


def judge(
    agent: AbstractAgent, env: AbstractEnv, states: PyTree, keys: Any, batch: int, length: int
) -> dict[str, list[float]]:
    """Return each seed's success and mean return in fresh episodes, greedily."""

    def one(state: PyTree, key: Any) -> Any:
        keys = jax.random.split(jax.random.fold_in(key, 2**30))
        carry = begin(agent, state, env, batch, key=keys[0])
        _, played = rollout(agent, state, env, carry, length, key=keys[1], greedy=True)
        stats = EpisodeStats.start(batch, EPISODES).see_many(played.step)
        return jax.numpy.nanmean(stats.successes), jax.numpy.nanmean(stats.returns)

    found = jax.jit(jax.vmap(one))(states, keys)
    success, returns = ([round(float(x), 4) for x in leaf] for leaf in found)
    return {"success": success, "returns": returns}
