"""Rollouts on the device: an agent in many copies of an environment, in one compiled loop."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, PyTree

from memup.acting.stats import EpisodeStats
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


class Stretch(NamedTuple):
    """Some steps of the first episodes of B copies, in the order of time.

    Attributes:
        step: what the environment gave, leaves [S, B, ...].
        action: the action that answered it, leaves [S, B, ...].
        counted: which steps are of the first W episodes of their copy, [S, B].
        steps: how many of the S steps were played; what lies behind means nothing.
    """

    step: TimeStep
    action: PyTree
    counted: Bool[Array, "S B"]
    steps: Int[Array, ""] | int


def begin(agent: AbstractAgent, state: PyTree, env: AbstractEnv, batch: int, *, key: Key) -> Carry:
    """Reset B environments and their actors."""
    env_state, step = jax.vmap(lambda k: env.reset(key=k))(jax.random.split(key, batch))
    return Carry(env_state, step, agent.begin(state, batch))


def step_all(env: AbstractEnv, carry: Carry, action: PyTree, keys: Any) -> tuple[State, TimeStep]:
    """Step every copy, or begin its next episode; keys [B]."""
    step = lambda s, t, a, k: step_or_reset(env, s, t, a, key=k)  # noqa: E731
    return jax.vmap(step)(carry.env, carry.step, action, keys)


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

    def body(carry: Carry, key: Key) -> tuple[Carry, tuple[TimeStep, PyTree, Any]]:
        act_key, env_key = jax.random.split(key)
        actor, action, extras = agent.act(
            state, carry.agent, carry.step, key=act_key, greedy=greedy
        )
        keys = jax.random.split(env_key, carry.step.first.shape[0])
        env_state, step = step_all(env, carry, action, keys)
        return Carry(env_state, step, actor), (carry.step, action, extras)

    before = carry.agent
    carry, (steps, actions, extras) = jax.lax.scan(body, carry, jax.random.split(key, length))
    return carry, Trajectory(steps, actions, extras, carry.step, before, carry.agent)


def play_whole(
    agent: AbstractAgent,
    state: PyTree,
    env: AbstractEnv,
    carry: Carry,
    stats: EpisodeStats,
    length: int,
    *,
    key: Key,
) -> tuple[Carry, EpisodeStats, Stretch]:
    """Let B actors play until each has ended W episodes, or for `length` steps.

    No step is taken once all have ended, so what is played is what the slowest copy needs.
    """
    batch = carry.step.first.shape[0]

    def unfinished(at: tuple[Any, EpisodeStats, Any, Array]) -> Array:
        return (at[3] < length) & ~jnp.all(at[1].over)

    def body(at: tuple[Carry, EpisodeStats, Any, Array]) -> Any:
        carry, stats, kept, done = at
        act_key, env_key = jax.random.split(jax.random.fold_in(key, done))
        actor, action, _ = agent.act(state, carry.agent, carry.step, key=act_key)
        now = (carry.step, action, ~stats.over)
        kept = jax.tree.map(lambda all_, one: all_.at[done].set(one), kept, now)
        env_state, step = step_all(env, carry, action, jax.random.split(env_key, batch))
        return Carry(env_state, step, actor), stats.see_first(carry.step), kept, done + 1

    action = jax.eval_shape(
        lambda: agent.act(state, carry.agent, carry.step, key=key)[1],
    )
    one = (carry.step, action, stats.over)
    room = jax.tree.map(lambda a: jnp.zeros((length, *a.shape), a.dtype), one)
    carry, stats, kept, done = jax.lax.while_loop(
        unfinished, body, (carry, stats, room, jnp.int32(0))
    )
    return carry, stats, Stretch(*kept, done)


class Span(eqx.Module):
    """Which steps of which actors are played.

    Attributes:
        of: B, all actors.
        low: the first of those that play.
        begun: steps that all have played before.
        steps: how many they play now at most.
    """

    of: int = eqx.field(static=True)
    low: Int[Array, ""]
    begun: Int[Array, ""]
    steps: Int[Array, ""]


def play_on(
    agent: AbstractAgent,
    state: PyTree,
    env: AbstractEnv,
    carry: Carry,
    stats: EpisodeStats,
    span: Span,
    *,
    key: Key,
) -> tuple[Carry, EpisodeStats]:
    """Let b of B actors go on greedily, until all have ended W episodes or for so many steps.

    Nothing but the statistics is kept, so what that costs does not depend on the length of an
    episode. What comes out depends neither on how an episode is cut into calls nor, where actions
    are not drawn, on which actors play in one call: a step's random numbers are those of its actor
    and its place in the episode.
    """

    def unfinished(at: tuple[Any, EpisodeStats, Array]) -> Array:
        return (at[2] < span.steps) & ~jnp.all(at[1].over)

    def body(at: tuple[Carry, EpisodeStats, Array]) -> tuple[Carry, EpisodeStats, Array]:
        carry, stats, done = at
        act_key, env_key = jax.random.split(jax.random.fold_in(key, span.begun + done))
        act_key = jax.random.fold_in(act_key, span.low)  # or all parts would draw the same
        actor, action, _ = agent.act(state, carry.agent, carry.step, key=act_key, greedy=True)
        keys = jax.random.split(env_key, span.of)
        keys = jax.lax.dynamic_slice_in_dim(keys, span.low, carry.step.first.shape[0])
        env_state, step = step_all(env, carry, action, keys)
        return Carry(env_state, step, actor), stats.see_first(step), done + 1

    return jax.lax.while_loop(unfinished, body, (carry, stats, jnp.int32(0)))[:2]
