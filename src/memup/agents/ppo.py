"""Proximal policy optimisation (Schulman et al. 2017) on the state of a memory.

With a frozen memory this is MemUP's second phase; with `train_memory` it is recurrent PPO, whose
memory learns by back-propagation through the rollout.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.agents.actor import Actor
from memup.agents.advantages import advantages, scaled
from memup.agents.base import AbstractAgent
from memup.agents.configs import PPOConfig
from memup.agents.learner import Learner, Seen, Trained, adam, inputs
from memup.agents.networks import ActorCritic
from memup.agents.policy import Kept, act
from memup.agents.scale import ReturnScale
from memup.agents.transitions import mean_valid
from memup.core.spaces import Space
from memup.core.tree import Params
from memup.core.types import Action, Key, Metrics, TimeStep, Trajectory
from memup.memories.encoded import EncodedMemory
from memup.nn.distributions import distribution_of


class PPOState(NamedTuple):
    """The learner's state: arrays only.

    Attributes:
        trained: heads and memory.
        variance: running sum of the advantages' variance, and of its weights.
        returns: units that values are learned in.
    """

    trained: Trained
    variance: Float[Array, "2"]
    returns: ReturnScale


class Batch(NamedTuple):
    """What the loss reads of some environments, leaves [T, b, ...]."""

    seen: Seen
    action: Action
    log_prob: Array
    advantage: Array
    aim: Array
    valid: Array


class PPO(AbstractAgent):
    """PPO over a memory.

    Args:
        params: parameters of the memory that `init` starts from, or what draws them from a key.
        memory: puts the memory together from its parameters.
        action_space: of any leaves.
        config: settings.
        train_memory: learn the memory too, by back-propagation through the rollout.
        heads: (D, params, hidden sizes, key) -> what reads the policy's parameters and the value
            off the memory's output [D].
    """

    def __init__(
        self,
        params: Params | Callable[[Key], Params],
        memory: Callable[[Params], EncodedMemory],
        action_space: Space,
        config: PPOConfig,
        train_memory: bool = False,
        heads: Callable[..., eqx.Module] = ActorCritic,
    ):
        self.config, self.policy = config, distribution_of(action_space)
        heads = partial(heads, params=self.policy.param_size, hidden=(config.hidden,) * 2)
        optimiser = adam(config.learning_rate, config.clip_norm)
        self.learner = Learner(params, memory, heads, optimiser, train_memory, action_space)

    def init(self, *, key: Key) -> PPOState:
        """See AbstractAgent."""
        return PPOState(self.learner.init(key=key), jnp.zeros(2), ReturnScale.start())

    def begin(self, state: PPOState, batch: int) -> Actor:
        """See AbstractAgent."""
        return self.learner.begin(state.trained, batch)

    def act(
        self, state: PPOState, carry: Actor, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[Actor, Action, Kept]:
        """See AbstractAgent."""
        network, memory = state.trained.network, state.trained.memory
        return act(
            self.learner,
            self.policy,
            network,
            memory,
            carry,
            step,
            key=key,
            greedy=greedy,
            value_of=state.returns.value,
        )

    def networks(self, state: PPOState) -> dict[str, Any]:
        """Return heads and memory; values are in units of rewards. See AbstractAgent."""
        found = self.learner.networks(state.trained)
        return {**found, "policy": found["policy"].in_units(*state.returns.moments())}

    def acting(self, networks: Mapping[str, Any]) -> PPOState:
        """See AbstractAgent."""
        return PPOState(self.learner.acting(networks), jnp.zeros(2), ReturnScale.start())

    def values(self, state: PPOState, trajectory: Trajectory) -> Float[Array, "T B"]:
        """See AbstractAgent."""
        return trajectory.extras.value

    def learn(
        self, state: PPOState, trajectory: Trajectory, *, key: Key
    ) -> tuple[PPOState, Metrics]:
        """Pass over the rollout several times in shuffled minibatches of environments."""
        state, batch = self._prepare(state, trajectory)
        parts = self.config.minibatches

        def epoch(trained: Trained, key: Key) -> tuple[Trained, Metrics]:
            return self.learner.sweep(trained, self._loss, batch, parts, key=key)

        keys = jax.random.split(key, self.config.epochs)
        trained, metrics = jax.lax.scan(epoch, state.trained, keys)
        return state._replace(trained=trained), jax.tree.map(jnp.mean, metrics)

    def _prepare(self, state: PPOState, trajectory: Trajectory) -> tuple[PPOState, Batch]:
        """Compute advantages; the transition after an episode's end is no transition."""
        kept, last = trajectory.extras, trajectory.last
        _, _, after = self.act(state, trajectory.after, last, key=jax.random.key(0), greedy=True)
        config = self.config
        found = advantages(trajectory, kept.value, after.value, config.gamma, config.gae_lambda)
        variance, scale = scaled(state.variance, found)
        seen = Seen(inputs(trajectory), trajectory.before.memory, kept.m)
        returns = state.returns.update(found.ret, found.valid)
        aim = returns.units(found.ret)
        batch = Batch(seen, trajectory.action, kept.log_prob, scale, aim, found.valid)
        return state._replace(variance=variance, returns=returns), batch

    def _loss(
        self, batch: Batch, network: Params, memory: Params
    ) -> tuple[Float[Array, ""], Metrics]:
        """Clipped surrogate (eq. 7) + value loss - entropy bonus (eq. 9)."""
        params, value = self.learner.heads(network, self.learner.outputs(memory, batch.seen))
        log_ratio = self.policy.log_prob(params, batch.action) - batch.log_prob
        advantage = batch.advantage
        ratio = jnp.exp(log_ratio)
        clipped = jnp.clip(ratio, 1 - self.config.clip_eps, 1 + self.config.clip_eps)
        surrogate = mean_valid(jnp.minimum(ratio * advantage, clipped * advantage), batch.valid)
        value_loss = mean_valid(0.5 * (value - batch.aim) ** 2, batch.valid)
        bonus = mean_valid(self.policy.entropy(params), batch.valid)
        loss = -surrogate + self.config.vf_coef * value_loss - self.config.ent_coef * bonus
        kl = mean_valid(ratio - 1 - log_ratio, batch.valid)
        return loss, {"loss": loss, "value_loss": value_loss, "entropy": bonus, "kl": kl}
