"""Acting by drawing from a policy's distribution: what actor-critic agents share."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Array, Float

from memup.agents.actor import Actor, read
from memup.agents.learner import Learner
from memup.core.tree import Params
from memup.core.types import Action, Key, TimeStep
from memup.nn.distributions import AbstractDistribution


class Kept(NamedTuple):
    """What is kept beside each step.

    Attributes:
        log_prob: of the action, in nats.
        value: of the step, in units of rewards.
        m: the memory's output.
    """

    log_prob: Array
    value: Array
    m: Array


def act(
    learner: Learner,
    policy: AbstractDistribution,
    network: Params,
    memory: Params,
    carry: Actor,
    step: TimeStep,
    *,
    key: Key,
    greedy: bool,
    value_of: Callable[[Float[Array, " B"]], Float[Array, " B"]] = lambda value: value,
) -> tuple[Actor, Action, Kept]:
    """Draw actions, or take the likeliest; see AbstractAgent.

    Args:
        learner: puts heads (-> parameters of the policy, value) and memory together.
        policy: distribution of the actions.
        network: parameters of the heads.
        memory: parameters of the memory.
        carry: what the actors carry.
        step: leaves [B, ...].
        key: for sampling.
        greedy: take the likeliest action.
        value_of: turns the head's value into units of rewards.
    """
    rows, m = read(learner.memory(memory), carry, step)
    params, value = learner.heads(network, m)
    action = policy.mode(params) if greedy else policy.sample(params, key=key)
    log_prob = policy.log_prob(params, action)
    return Actor(rows, action), action, Kept(log_prob, value_of(value), m)
