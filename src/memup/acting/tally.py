"""Play episodes and keep only how they went: what that costs does not depend on their length."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PyTree

from memup.acting.rollout import Carry
from memup.agents.base import AbstractAgent
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, step_or_reset


class Tally(NamedTuple):
    """How the first episode of every copy goes, leaves [B].

    Attributes:
        total: its return so far.
        length: its actions so far.
        success: its success; NaN until it has ended.
        over: True once it has ended.
    """

    total: Float[Array, " B"]
    length: Int[Array, " B"]
    success: Float[Array, " B"]
    over: Bool[Array, " B"]

    @classmethod
    def start(cls, batch: int) -> "Tally":
        """Nothing played yet."""
        zero = jnp.zeros(batch)
        return cls(zero, jnp.zeros(batch, jnp.int32), zero + jnp.nan, jnp.zeros(batch, bool))

    def see(self, step: TimeStep) -> "Tally":
        """Take the steps that the copies' actions led to, leaves [B, ...]."""
        ended = step.terminated | step.truncated
        return Tally(
            self.total + jnp.where(self.over, 0.0, step.reward),
            self.length + ~self.over,
            jnp.where(ended & ~self.over, step.success, self.success),
            self.over | ended,
        )


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
    tally: Tally,
    span: Span,
    *,
    key: Key,
) -> tuple[Carry, Tally]:
    """Let b of B actors go on greedily, until all have ended an episode or for so many steps.

    What comes out depends neither on how an episode is cut into calls nor, where actions are not
    drawn, on which actors play in one call: a step's random numbers are those of its actor and its
    place in the episode.
    """

    def unfinished(at: tuple[Any, Tally, Array]) -> Array:
        return (at[2] < span.steps) & ~jnp.all(at[1].over)

    def body(at: tuple[Carry, Tally, Array]) -> tuple[Carry, Tally, Array]:
        carry, tally, done = at
        act_key, env_key = jax.random.split(jax.random.fold_in(key, span.begun + done))
        act_key = jax.random.fold_in(act_key, span.low)  # or all parts would draw the same
        actor, action, _ = agent.act(state, carry.agent, carry.step, key=act_key, greedy=True)
        keys = jax.random.split(env_key, span.of)
        keys = jax.lax.dynamic_slice_in_dim(keys, span.low, action.shape[0])
        env_state, step = jax.vmap(lambda s, t, a, k: step_or_reset(env, s, t, a, key=k))(
            carry.env, carry.step, action, keys
        )
        return Carry(env_state, step, actor), tally.see(step), done + 1

    return jax.lax.while_loop(unfinished, body, (carry, tally, jnp.int32(0)))[:2]
