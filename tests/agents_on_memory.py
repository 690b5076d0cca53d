"""A tiny memory, a rollout of it through several episodes, and parts of that rollout."""

import jax
import jax.numpy as jnp

from memup.acting.rollout import begin, rollout
from memup.core.types import StepInput, Trajectory
from memup.envs.tmaze import TMaze
from memup.memories.encoded import EncodedMemory
from memup.memories.make import make_memory
from memup.nn.encoders import InputEncoder

ENV = TMaze(3, "LN")
B, T = 4, 12


def make(key):
    """Make a memory that reads steps of ENV."""
    keys = jax.random.split(key)
    encoder = InputEncoder(ENV.observation_space, ENV.action_space, 6, key=keys[0])
    return EncodedMemory(encoder, make_memory("gru", 6, key=keys[1], size=5))


def example():
    """What it reads at one step."""
    zero, no = jnp.zeros(()), jnp.zeros((), bool)
    return StepInput(jnp.zeros(3, jnp.int8), jnp.zeros((), jnp.int32), zero, no)


def play(agent, skip=2):
    """A state and a rollout that begins in mid-episode and has several resets in it."""

    @jax.jit
    def both(key):
        keys = jax.random.split(key, 4)
        state = agent.init(key=keys[0])
        carry = begin(agent, state, ENV, B, key=keys[1])
        carry, _ = rollout(agent, state, ENV, carry, skip, key=keys[2])
        return state, rollout(agent, state, ENV, carry, T, key=keys[3])[1]

    return both(jax.random.key(1))


def split(trajectory, low, high, agent, state, actor):
    """Steps low to high of one actor, with what that actor carried there."""
    one = lambda tree, axis: jax.tree.map(  # noqa: E731
        lambda a: jax.lax.slice_in_dim(a, actor, actor + 1, axis=axis), tree
    )
    trajectory = Trajectory(
        one(trajectory.step, 1),
        one(trajectory.action, 1),
        one(trajectory.extras, 1),
        one(trajectory.last, 0),
        one(trajectory.before, 0),
        one(trajectory.after, 0),
    )
    carries = [trajectory.before]
    for t in range(len(trajectory.action)):
        step = jax.tree.map(lambda a, t=t: a[t], trajectory.step)
        carry, _, _ = agent.act(state, carries[-1], step, key=jax.random.key(0))
        carries.append(carry._replace(action=trajectory.action[t].astype(jnp.int32)))
    part = lambda tree: jax.tree.map(lambda a: a[low:high], tree)  # noqa: E731
    after = trajectory.last
    if high < len(trajectory.action):
        after = jax.tree.map(lambda a: a[high], trajectory.step)
    return Trajectory(
        part(trajectory.step),
        part(trajectory.action),
        part(trajectory.extras),
        after,
        carries[low],
        carries[high],
    )
