"""Acting by drawing from a policy's logits: what actor-critic agents share."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from memup.agents.actor import Actor, read
from memup.agents.learner import Learner
from memup.agents.transitions import of_action
from memup.core.tree import Params
from memup.core.types import Key, TimeStep


class Kept(NamedTuple):
    """What is kept beside each step: log-probability of the action, value, memory's output."""

    log_prob: Array
    value: Array
    m: Array


def act(
    learner: Learner,
    network: Params,
    memory: Params,
    carry: Actor,
    step: TimeStep,
    *,
    key: Key,
    greedy: bool,
) -> tuple[Actor, Int[Array, " B"], Kept]:
    """Draw actions, or take the likeliest; see AbstractAgent.

    Args:
        learner: puts heads (-> logits, value) and memory together.
        network: parameters of the heads.
        memory: parameters of the memory.
        carry: what the actors carry.
        step: leaves [B, ...].
        key: for sampling.
        greedy: take the likeliest action.
    """
    rows, m = read(learner.memory(memory), carry, step)
    logits, value = learner.heads(network, m)
    action = jnp.argmax(logits, -1) if greedy else jax.random.categorical(key, logits)
    log_prob = of_action(jax.nn.log_softmax(logits), action)
    return Actor(rows, action.astype(jnp.int32)), action, Kept(log_prob, value, m)


def entropy(log_probs: Float[Array, "... A"]) -> Float[Array, "..."]:
    """Return the entropy, in nats."""
    return -jnp.sum(jnp.exp(log_probs) * log_probs, -1)
