"""IMPALA (Espeholt et al. 2018, arXiv 1802.01561) on the state of a memory.

Actors act with a copy of the policy that is some learner updates old; V-trace corrects for the
difference. Each rollout is learned from once. With `train_memory` the memory learns through the
rollout, from the states that the actors had at its start.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from memup.agents.actor import Actor
from memup.agents.base import AbstractAgent
from memup.agents.configs import IMPALAConfig
from memup.agents.learner import Learner, Seen, Trained, adam, inputs, rmsprop
from memup.agents.networks import ActorCritic
from memup.agents.policy import Kept, act
from memup.agents.transitions import Transitions, mean_valid, transitions
from memup.core.spaces import Space
from memup.core.tree import Params
from memup.core.types import Action, Key, Metrics, TimeStep, Trajectory
from memup.memories.encoded import EncodedMemory
from memup.nn.distributions import distribution_of
from memup.ops.vtrace import VTrace, vtrace

OPTIMISERS = {"rmsprop": rmsprop, "adam": adam}


class IMPALAState(NamedTuple):
    """The learner's state: arrays only.

    Attributes:
        trained: heads and memory.
        actors: what learns, as the actors have it.
        age: learner updates since they got it.
    """

    trained: Trained
    actors: Params
    age: Int[Array, ""]


class Batch(NamedTuple):
    """What the loss reads of some environments: T transitions, T+1 steps."""

    seen: Seen
    action: Action
    log_prob: Float[Array, "T b"]
    moves: Transitions


class IMPALA(AbstractAgent):
    """IMPALA over a memory.

    Args:
        params: parameters of the memory that `init` starts from, or what draws them from a key.
        memory: puts the memory together from its parameters.
        action_space: of any leaves.
        config: settings.
        train_memory: learn the memory too, by back-propagation through the rollout.
    """

    def __init__(
        self,
        params: Params | Callable[[Key], Params],
        memory: Callable[[Params], EncodedMemory],
        action_space: Space,
        config: IMPALAConfig,
        train_memory: bool = False,
    ):
        self.config, self.policy = config, distribution_of(action_space)
        heads = partial(ActorCritic, params=self.policy.param_size, hidden=(config.hidden,) * 2)
        optimiser = OPTIMISERS[config.optimiser](config.learning_rate, config.clip_norm)
        self.learner = Learner(params, memory, heads, optimiser, train_memory, action_space)

    def init(self, *, key: Key) -> IMPALAState:
        """See AbstractAgent."""
        trained = self.learner.init(key=key)
        return IMPALAState(trained, jnp.copy(self.learner.learned(trained)), jnp.zeros((), int))

    def begin(self, state: IMPALAState, batch: int) -> Actor:
        """See AbstractAgent."""
        return self.learner.begin(state.trained, batch)

    def act(
        self, state: IMPALAState, carry: Actor, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[Actor, Action, Kept]:
        """Act by the actors' copy; greedy actions are those of the newest policy."""
        network, memory = state.trained.network, state.trained.memory
        if not greedy:
            network, memory = self.learner.split(state.actors, state.trained)
        policy = self.policy
        return act(self.learner, policy, network, memory, carry, step, key=key, greedy=greedy)

    def networks(self, state: IMPALAState) -> dict[str, Any]:
        """Return the newest ones; see AbstractAgent."""
        return self.learner.networks(state.trained)

    def acting(self, networks: Mapping[str, Any]) -> IMPALAState:
        """See AbstractAgent."""
        trained = self.learner.acting(networks)
        return IMPALAState(trained, self.learner.learned(trained), jnp.zeros((), int))

    def values(self, state: IMPALAState, trajectory: Trajectory) -> Float[Array, "T B"]:
        """See AbstractAgent."""
        return trajectory.extras.value

    def learn(
        self, state: IMPALAState, trajectory: Trajectory, *, key: Key
    ) -> tuple[IMPALAState, Metrics]:
        """Learn once from each part of the rollout; let the actors' copy follow if it is old."""
        batch, parts = self._prepare(state, trajectory), self.config.minibatches
        trained, metrics = self.learner.sweep(state.trained, self._loss, batch, parts, key=key)
        age = state.age + parts
        old = age > self.config.policy_lag
        actors = jnp.where(old, self.learner.learned(trained), state.actors)
        return IMPALAState(trained, actors, jnp.where(old, 0, age)), jax.tree.map(jnp.mean, metrics)

    def _prepare(self, state: IMPALAState, trajectory: Trajectory) -> Batch:
        """Lay beside the rollout the step that follows it, whose value is bootstrapped."""
        _, _, after = self.act(
            state, trajectory.after, trajectory.last, key=jax.random.key(0), greedy=False
        )
        m = jnp.concatenate([trajectory.extras.m, after.m[None]])
        seen = Seen(inputs(trajectory, last=True), trajectory.before.memory, m)
        moves = transitions(trajectory, self.config.gamma)
        return Batch(seen, trajectory.action, trajectory.extras.log_prob, moves)

    def _loss(
        self, batch: Batch, network: Params, memory: Params
    ) -> tuple[Float[Array, ""], Metrics]:
        """Policy gradient + value loss - entropy bonus (section 4.2), means over transitions."""
        params, value = self.learner.heads(network, self.learner.outputs(memory, batch.seen))
        log_prob, valid = self.policy.log_prob(params[:-1], batch.action), batch.moves.valid
        ratio = jnp.where(valid, jnp.exp(log_prob - batch.log_prob), 0.0)
        aim = jax.lax.stop_gradient(self._aim(ratio, batch.moves, value))
        policy_loss = -mean_valid(aim.advantage * log_prob, valid)
        value_loss = mean_valid(0.5 * (aim.value - value[:-1]) ** 2, valid)
        bonus = mean_valid(self.policy.entropy(params[:-1]), valid)
        loss = policy_loss + self.config.vf_coef * value_loss - self.config.ent_coef * bonus
        metrics = {"loss": loss, "value_loss": value_loss, "entropy": bonus}
        return loss, {**metrics, "ratio": mean_valid(ratio, valid)}

    def _aim(
        self, ratio: Float[Array, "T b"], moves: Transitions, value: Float[Array, "T1 b"]
    ) -> VTrace:
        config = self.config
        correct = partial(vtrace, rho=config.rho_bar, c=config.c_bar, trace=config.gae_lambda)
        correct = jax.vmap(correct, 1, 1)
        return correct(ratio, moves.reward, moves.discount, value[:-1], value[1:])
