"""Rollouts: an agent in many copies of an environment, on device or through Gymnasium."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, PyTree

from memup.agents.base import AbstractAgent
from memup.core.types import Key, State, TimeStep, Trajectory
from memup.envs.base import AbstractEnv, step_or_reset


class Carry(NamedTuple):
    """Where a rollout stands.

    Attributes:
        env: state of B environments (nothing where they live on the host).
        step: the step to be acted on, leaves [B, ...].
        agent: what the actors carry.
    """

    env: State
    step: TimeStep
    agent: PyTree


class Episodes(NamedTuple):
    """Sums over the episodes that ended in a rollout.

    Attributes:
        count: episodes that ended.
        total: sum of their returns.
        success: sum of their successes (NaN where undefined).
        square: sum of their squared returns.
    """

    count: Int[Array, ""]
    total: Float[Array, ""]
    success: Float[Array, ""]
    square: Float[Array, ""]


def begin(agent: AbstractAgent, state: PyTree, env: AbstractEnv, batch: int, *, key: Key) -> Carry:
    """Reset B environments and their actors."""
    env_state, step = jax.vmap(lambda k: env.reset(key=k))(jax.random.split(key, batch))
    return Carry(env_state, step, agent.begin(state, batch))


def rollout(
    agent: AbstractAgent,
    state: PyTree,
    env: AbstractEnv,
    carry: Carry,
    length: int,
    *,
    key: Key,
    greedy: bool = False,
) -> tuple[Carry, Trajectory]:
    """Let B actors take `length` steps each, in one scan.

    Returns:
        Where the rollout stands afterwards, and what was seen and done.
    """

    def body(carry: Carry, key: Key) -> tuple[Carry, tuple[TimeStep, Array, Any]]:
        act_key, env_key = jax.random.split(key)
        actor, action, extras = agent.act(
            state, carry.agent, carry.step, key=act_key, greedy=greedy
        )
        keys = jax.random.split(env_key, action.shape[0])
        env_state, step = jax.vmap(lambda s, t, a, k: step_or_reset(env, s, t, a, key=k))(
            carry.env, carry.step, action, keys
        )
        return Carry(env_state, step, actor), (carry.step, action, extras)

    before = carry.agent
    carry, (steps, actions, extras) = jax.lax.scan(body, carry, jax.random.split(key, length))
    return carry, Trajectory(steps, actions, extras, carry.step, before, carry.agent)


def host_rollout(
    act: Any, state: PyTree, env: Any, carry: Carry, length: int, *, key: Key
) -> tuple[Carry, Trajectory]:
    """Do the same over a Gymnasium vector environment, with one jitted `act` a step.

    Args:
        act: jitted (state, agent carry, step, key) -> (carry, action, extras).
        state: the learner's state.
        env: `GymnasiumVector`.
        carry: where the rollout stands; `carry.env` is unused.
        length: steps of each environment.
        key: source of every choice.
    """
    steps, actions, extras = [], [], []
    actor, step = carry.agent, carry.step
    for now in jax.random.split(key, length):
        actor, action, extra = act(state, actor, step, now)
        steps.append(step)
        actions.append(action)
        extras.append(extra)
        step = env.step(np.asarray(action))
    stack = lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves])  # noqa: E731
    trajectory = Trajectory(
        jax.tree.map(stack, *steps),
        stack(*actions),
        jax.tree.map(stack, *extras),
        step,
        carry.agent,
        actor,
    )
    return Carry(carry.env, step, actor), trajectory


def episode_sums(
    running: Float[Array, " B"], trajectory: Trajectory, exploring: float = 0.0
) -> tuple[Float[Array, " B"], Episodes]:
    """Sum returns over the episodes that ended.

    Args:
        running: return so far of the episode each actor is in.
        trajectory: what followed.
        exploring: share of the actors, the first ones, that are left out.

    Returns:
        The running returns afterwards, and sums over the ended episodes.
    """
    batch = running.shape[0]
    counted = jnp.arange(batch) >= int(exploring * batch)

    def body(running: Array, step: TimeStep) -> tuple[Array, Episodes]:
        running = jnp.where(step.first, 0.0, running) + step.reward
        ended = (step.terminated | step.truncated) & counted
        return running, Episodes(
            jnp.sum(ended),
            jnp.sum(jnp.where(ended, running, 0.0)),
            jnp.sum(jnp.where(ended, step.success, 0.0)),
            jnp.sum(jnp.where(ended, running**2, 0.0)),
        )

    running, sums = jax.lax.scan(body, running, trajectory.step)
    return running, Episodes(*(jnp.sum(s) for s in sums))
