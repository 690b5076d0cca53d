"""Proximal policy optimisation (Schulman et al. 2017) on the state of a memory.

With a frozen memory this is MemUP's second phase; with `train_memory` it is recurrent PPO, whose
memory learns by back-propagation through the rollout.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from memup.agents.actor import Actor, begin_actors, read
from memup.agents.base import AbstractAgent
from memup.agents.networks import ActorCritic
from memup.memories.encoded import EncodedMemory
from memup.ops.returns import generalised_advantage
from memup.tree import Vector, initial, rebuilder
from memup.types import Key, Metrics, State, StepInput, TimeStep, Trajectory


@dataclass(frozen=True)
class PPOConfig:
    """Settings of PPO.

    Attributes:
        learning_rate: of Adam.
        gamma: discount.
        trace: lambda of generalised advantage estimation.
        clip: how far the probability ratio may move.
        entropy: weight of the entropy bonus.
        value: weight of the value loss.
        epochs: passes over a rollout.
        minibatches: parts of a rollout, by environment.
        clip_norm: of the gradient.
        hidden: sizes of the hidden layers of actor and critic.
    """

    learning_rate: float = 1e-3
    gamma: float = 0.99
    trace: float = 0.95
    clip: float = 0.2
    entropy: float = 0.001
    value: float = 0.5
    epochs: int = 4
    minibatches: int = 4
    clip_norm: float = 0.5
    hidden: tuple[int, ...] = (64, 64)


class PPOState(NamedTuple):
    """The learner's state: arrays only.

    Attributes:
        network: parameters of actor and critic.
        memory: parameters of what the actor stands on.
        optimiser: optax state.
        variance: running sum of the advantages' variance, and of its weights.
    """

    network: Vector
    memory: Vector
    optimiser: PyTree
    variance: Float[Array, "2"]


class Kept(NamedTuple):
    """What is kept beside each step: log-probability of the action, value, memory's output."""

    log_prob: Array
    value: Array
    m: Array


class Batch(NamedTuple):
    """What the loss reads of some environments, leaves [T, b, ...]."""

    step: TimeStep
    previous: Array
    action: Array
    kept: Kept
    advantage: Array
    ret: Array
    valid: Array


class PPO(AbstractAgent):
    """PPO over a memory.

    Args:
        vector: parameters of the memory that `init` starts from.
        memory: puts the memory together from its parameters.
        actions: number of actions.
        config: settings.
        train_memory: learn the memory too, by back-propagation through the rollout.
    """

    def __init__(
        self,
        vector: Vector,
        memory: Callable[[Vector], EncodedMemory],
        actions: int,
        config: PPOConfig,
        train_memory: bool = False,
    ):
        self.vector, self.memory, self.config = vector, memory, config
        self.actions, self.train_memory = actions, train_memory
        steps = optax.adam(config.learning_rate, eps=1e-5)
        clipped = optax.chain(optax.clip_by_global_norm(config.clip_norm), steps)
        self.optimiser = optax.apply_if_finite(clipped, 2**31 - 1)
        self.network = rebuilder(self._make)

    def _make(self, key: Key) -> ActorCritic:
        size = self.memory(self.vector).output_size
        return ActorCritic(size, self.actions, self.config.hidden, key=key)

    def init(self, *, key: Key) -> PPOState:
        """See AbstractAgent."""
        network = initial(self._make, key)
        memory = jnp.copy(self.vector)
        trained = self._trained(network, memory)
        return PPOState(network, memory, self.optimiser.init(trained), jnp.zeros(2))

    def _trained(self, network: Vector, memory: Vector) -> Vector:
        """Lay end to end what learns."""
        return jnp.concatenate([network, memory]) if self.train_memory else network

    def begin(self, state: PPOState, batch: int) -> Actor:
        """See AbstractAgent."""
        return begin_actors(self.memory(state.memory), batch)

    def _heads(self, network: Vector, m: Float[Array, "... D"]) -> tuple[Array, Array]:
        net = self.network(network)
        for _ in range(m.ndim - 1):
            net = jax.vmap(net)
        return net(m)

    def act(
        self, state: PPOState, carry: Actor, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[Actor, Int[Array, " B"], Kept]:
        """See AbstractAgent."""
        rows, m = read(self.memory(state.memory), carry, step)
        logits, value = self._heads(state.network, m)
        action = jnp.argmax(logits, -1) if greedy else jax.random.categorical(key, logits)
        log_prob = _of_action(jax.nn.log_softmax(logits), action)
        return Actor(rows, action.astype(jnp.int32)), action, Kept(log_prob, value, m)

    def learn(
        self, state: PPOState, trajectory: Trajectory, *, key: Key
    ) -> tuple[PPOState, Metrics]:
        """Pass over the rollout several times in shuffled minibatches of environments."""
        state, batch = self._prepare(state, trajectory)
        parts = self.config.minibatches

        def minibatch(state: PPOState, columns: Array) -> tuple[PPOState, Metrics]:
            part = jax.tree.map(lambda a: jnp.take(a, columns, axis=1), batch)
            rows = jax.tree.map(lambda a: jnp.take(a, columns, axis=0), trajectory.before.memory)
            return self._update(state, part, rows)

        def epoch(state: PPOState, key: Key) -> tuple[PPOState, Metrics]:
            columns = jax.random.permutation(key, trajectory.action.shape[1])
            return jax.lax.scan(minibatch, state, columns.reshape(parts, -1))

        state, metrics = jax.lax.scan(epoch, state, jax.random.split(key, self.config.epochs))
        return state, jax.tree.map(jnp.mean, metrics)

    def _prepare(self, state: PPOState, trajectory: Trajectory) -> tuple[PPOState, Batch]:
        """Compute advantages; the transition after an episode's end is no transition."""
        step, last = trajectory.step, trajectory.last
        _, _, after = self.act(state, trajectory.after, last, key=jax.random.key(0), greedy=True)
        ended = jnp.concatenate(
            [step.terminated | step.truncated, (last.terminated | last.truncated)[None]]
        )
        follow = lambda now, end: jnp.concatenate([now[1:], end[None]])  # noqa: E731
        valid = ~ended[:-1]
        reward = jnp.where(valid, follow(step.reward, last.reward), 0.0)
        discount = self.config.gamma * (valid & ~follow(step.terminated, last.terminated))
        v_tm1 = jnp.where(valid, trajectory.extras.value, 0.0)
        v_t = follow(trajectory.extras.value, after.value)
        trace = jnp.where(ended[1:], 0.0, self.config.trace)
        advantage = jax.vmap(generalised_advantage, 1, 1)(reward, discount, v_tm1, v_t, trace)
        previous = jnp.concatenate([trajectory.before.action[None], trajectory.action[:-1]])
        state, scaled = self._scale(state, advantage, valid)
        kept = trajectory.extras
        return state, Batch(
            step, previous, trajectory.action, kept, scaled, advantage + v_tm1, valid
        )

    def _scale(
        self, state: PPOState, advantage: Float[Array, "T B"], valid: Array
    ) -> tuple[PPOState, Float[Array, "T B"]]:
        """Bring advantages to mean 0 and spread 1 at most.

        Where rewards are rare a rollout may hold none of them. Dividing by its own spread would
        blow its noise up to the size of a signal, so a running spread is the least divisor.
        """
        mean = _mean(advantage, valid)
        now = _mean((advantage - mean) ** 2, valid)
        variance = 0.99 * state.variance + 0.01 * jnp.stack([now, jnp.ones_like(now)])
        spread = jnp.sqrt(jnp.maximum(now, variance[0] / variance[1]))
        return state._replace(variance=variance), (advantage - mean) / (spread + 1e-8)

    def _update(self, state: PPOState, batch: Batch, rows: State) -> tuple[PPOState, Metrics]:
        trained = self._trained(state.network, state.memory)
        gradient, metrics = jax.grad(self._loss, has_aux=True)(trained, batch, rows)
        step, optimiser = self.optimiser.update(gradient, state.optimiser, trained)
        trained = trained + step
        size = state.network.shape[0]
        memory = trained[size:] if self.train_memory else state.memory
        metrics["skipped_in_a_row"] = optimiser.notfinite_count.astype(jnp.float32)
        return PPOState(trained[:size], memory, optimiser, state.variance), metrics

    def _loss(self, trained: Vector, batch: Batch, rows: State) -> tuple[Float[Array, ""], Metrics]:
        """Clipped surrogate (eq. 7) + value loss - entropy bonus (eq. 9)."""
        size = trained.shape[0] - (self.vector.shape[0] if self.train_memory else 0)
        network, memory = trained[:size], trained[size:]
        m = self._recompute(memory, batch, rows) if self.train_memory else batch.kept.m
        logits, value = self._heads(network, m)
        log_probs = jax.nn.log_softmax(logits)
        log_ratio = _of_action(log_probs, batch.action) - batch.kept.log_prob
        advantage = batch.advantage
        ratio = jnp.exp(log_ratio)
        clipped = jnp.clip(ratio, 1 - self.config.clip, 1 + self.config.clip)
        surrogate = _mean(jnp.minimum(ratio * advantage, clipped * advantage), batch.valid)
        value_loss = _mean(0.5 * (value - batch.ret) ** 2, batch.valid)
        entropy = _mean(-jnp.sum(jnp.exp(log_probs) * log_probs, -1), batch.valid)
        loss = -surrogate + self.config.value * value_loss - self.config.entropy * entropy
        kl = _mean(ratio - 1 - log_ratio, batch.valid)
        return loss, {"loss": loss, "value_loss": value_loss, "entropy": entropy, "kl": kl}

    def _recompute(self, memory: Vector, batch: Batch, rows: State) -> Float[Array, "T b D"]:
        x = StepInput(batch.step.obs, batch.previous, batch.step.reward, batch.step.first)
        unroll = jax.vmap(self.memory(memory).unroll, (0, 1), (0, 1))
        return unroll(jax.lax.stop_gradient(rows), x)[1]


def _of_action(values: Float[Array, "... A"], action: Int[Array, "..."]) -> Float[Array, "..."]:
    return jnp.take_along_axis(values, action[..., None], axis=-1)[..., 0]


def _mean(values: Array, valid: Array) -> Array:
    return jnp.sum(jnp.where(valid, values, 0.0)) / jnp.maximum(jnp.sum(valid), 1)
