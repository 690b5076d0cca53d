"""Recurrent PPO beside sb3-contrib's, in turn; and 16 random seeds beside one.

The seeds are measured twice: all in one program by vmap, and shared out over the processors, where
each processor goes through its seeds.

64 copies of T-Maze-100, rollouts of 128 steps, sb3's 10 passes over 4 minibatches, and as there a
memory for the actor and one for the critic. sb3 runs in its own interpreter (`--rival`),
with requirements/sb3.txt installed; without one only memup's figures are measured.
"""

import json
import os
import statistics
import subprocess
import time
from functools import partial
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from benchmarks.measures.agents_baseline import Training, begin_all
from benchmarks.suite import Cell
from memup.agents.configs import PPOConfig
from memup.agents.networks import Perceptron
from memup.agents.ppo import PPO
from memup.core.spaces import Discrete
from memup.core.tree import initial, rebuilder
from memup.envs.table import make_env
from memup.memories.base import AbstractMemory
from memup.memories.encoded import EncodedMemory
from memup.memories.lstm import LSTM

RIVALS = Path(__file__).parents[1] / "rivals"
COPIES, ROLLOUT, CALLS = 64, 128, 2
CONFIG = PPOConfig(epochs=10, minibatches=4)


class Bare(eqx.Module):
    """The observation as it is, which is all that sb3's memory reads."""

    def __call__(self, x):
        """Return the three numbers of the maze."""
        return x.obs.astype(jnp.float32)


class Pair(AbstractMemory):
    """Two LSTMs side by side; the output is [actor's h, critic's h]."""

    actor: LSTM
    critic: LSTM
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(self, inputs: int, size: int, *, key):
        keys = jax.random.split(key)
        self.actor = LSTM(inputs, size, 1, 1.0, 0, key=keys[0])
        self.critic = LSTM(inputs, size, 1, 1.0, 0, key=keys[1])
        self.input_size, self.output_size = inputs, 2 * size

    def initial_state(self):
        """Return those of both."""
        return self.actor.initial_state(), self.critic.initial_state()

    def step(self, state, x, *, key=None):
        """Read one input with both."""
        (a, left), (b, right) = self.actor.step(state[0], x), self.critic.step(state[1], x)
        return (a, b), jnp.concatenate([left, right], -1)

    def unroll(self, state, xs, first, *, key=None):
        """Read T inputs with both."""
        a, left = self.actor.unroll(state[0], xs, first)
        b, right = self.critic.unroll(state[1], xs, first)
        return (a, b), jnp.concatenate([left, right], -1)


class Halves(eqx.Module):
    """An actor on the first half of the memory's output, a critic on the second."""

    policy: Perceptron
    value: Perceptron

    def __init__(self, inputs: int, params: int, hidden: tuple[int, ...], *, key):
        keys = jax.random.split(key)
        self.policy = Perceptron(inputs // 2, params, hidden, 0.01, key=keys[0])
        self.value = Perceptron(inputs // 2, 1, hidden, 1.0, key=keys[1])

    def __call__(self, m):
        """Return logits and value."""
        left, right = jnp.split(m, 2, -1)
        return self.policy(left), self.value(right)[..., 0]


def agent(size: int, pair: bool) -> PPO:
    """Make recurrent PPO on the bare observation."""

    def make(key):
        memory = Pair(3, size, key=key) if pair else LSTM(3, size, 1, 1.0, 0, key=key)
        return EncodedMemory(Bare(), memory)

    heads = {"heads": Halves} if pair else {}
    return PPO(lambda key: initial(make, key), rebuilder(make), Discrete(2), CONFIG, True, **heads)


class Program:
    """Acting and learning, compiled for some seeds side by side, or shared out over processors."""

    def __init__(self, size: int, pair: bool, seeds: int, shared: bool = False):
        self.training = Training(agent(size, pair), make_env("tmaze-100"), COPIES, ROLLOUT, CALLS)
        self.keys = jax.vmap(jax.random.key)(np.arange(seeds))
        self.work = begin_all(self.training, self.keys)
        every = jax.vmap(self.training.many)
        if shared:
            mesh, axis = Mesh(np.array(jax.devices()), ("seeds",)), PartitionSpec("seeds")
            where = NamedSharding(mesh, axis)
            self.work, self.keys = jax.device_put((self.work, self.keys), where)
            one = lambda pair: self.training.many(*pair)  # noqa: E731
            each = lambda work, keys: jax.lax.map(one, (work, keys))  # noqa: E731
            specs = {"in_specs": axis, "out_specs": axis}
            every = jax.shard_map(each, mesh=mesh, check_vma=False, **specs)
        run = jax.jit(every, donate_argnums=0)
        begin = time.perf_counter()
        self.run = run.lower(self.work, self.keys).compile()
        self.compile_s = round(time.perf_counter() - begin, 1)
        self.seconds()

    def seconds(self) -> float:
        """Return the time of a rollout and its learning, all seeds together."""
        begin = time.perf_counter()
        self.work, sums = self.run(self.work, self.keys)
        jax.block_until_ready((self.work, sums))
        return (time.perf_counter() - begin) / CALLS


def beside_sb3(size: int, rounds: int, python: str, threads: int) -> dict:
    """Measure both in turn."""
    program, steps = Program(size, pair=True, seeds=1), COPIES * ROLLOUT
    command = [python, str(RIVALS / "sb3_program.py"), "--size", str(size)]
    command += ["--environments", str(COPIES), "--rollout", str(ROLLOUT)]
    command += ["--minibatches", str(CONFIG.minibatches), "--threads", str(threads)]
    ours, theirs, about = [], [], {}
    for _ in range(rounds):
        ours.append(steps / min(program.seconds() for _ in range(2)))
        if python:
            out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            about = json.loads(out.splitlines()[-1])
            theirs.append(about.pop("env_steps_per_s"))
    found = {"size": size, "memup_env_steps_per_s": round(statistics.median(ours))}
    if theirs:
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        found |= {"sb3_env_steps_per_s": round(statistics.median(theirs)), **about}
        found |= {"ratio": round(statistics.median(ratios), 2)}
        found |= {"ratios": [round(r, 2) for r in ratios]}
    return {**found, "compile_s": program.compile_s}


def many_seeds(size: int, seeds: int, rounds: int) -> dict:
    """Compare the time of many seeds with the time of one, in turn."""
    make = partial(Program, size, pair=False)
    programs = make(seeds=1), make(seeds=seeds), make(seeds=seeds, shared=True)
    rounds = [[p.seconds() for p in programs] for _ in range(rounds)]
    names, middle = ("one_s", "vmap_s", "shared_s"), statistics.median
    return {
        "size": size,
        "seeds": seeds,
        **{n: round(middle(r[i] for r in rounds), 3) for i, n in enumerate(names)},
        "ratio": round(middle(r[1] / r[0] for r in rounds), 2),
        "ratio_shared": round(middle(r[2] / r[0] for r in rounds), 2),
    }


def measure(cell: Cell) -> dict:
    """Measure one part."""
    spec, threads = cell.row.spec, len(os.sched_getaffinity(0))
    # A device for each processor, over which seeds can be shared out.
    jax.config.update("jax_num_cpu_devices", threads)
    rounds = 1 if cell.quick else spec["rounds"]
    if cell.labels["part"] == "seeds":
        return many_seeds(spec["size"], 2 if cell.quick else spec["seeds"], rounds)
    return beside_sb3(cell.labels["size"], rounds, cell.rival, threads)
