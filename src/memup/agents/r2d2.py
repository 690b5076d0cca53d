"""R2D2: Q-learning with a memory from replayed sequences (Kapturowski et al. 2019, ICLR).

A rollout enters the replay as sequences, each with the memory's state before its first input; then
some of them, chosen by priority, are learned from. The memory reads the previous action and reward,
warms up on the first steps of a sequence without a gradient, and learns over the rest. A frozen
memory's outputs are replayed instead, and no warming up is needed.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from memup.agents.actor import Actor, read
from memup.agents.base import AbstractAgent
from memup.agents.choices import Choices
from memup.agents.configs import R2D2Config
from memup.agents.learner import Learner, Trained, adam, inputs
from memup.agents.networks import Dueling
from memup.agents.replay import Replay, Sample, importance
from memup.agents.sequences import Sequence, Tail, cut
from memup.agents.transitions import Transitions, of_action, transitions
from memup.core.errors import require
from memup.core.spaces import Space
from memup.core.tree import Params
from memup.core.types import Action, Key, Metrics, StepInput, TimeStep, Trajectory
from memup.memories.encoded import EncodedMemory
from memup.ops.priorities import sequence_priority
from memup.ops.rescaling import rescale, unscale
from memup.ops.returns import n_step_returns

# Of the ladder of random actions this share of the actors, the first ones, is too random to tell
# how good the policy is.
EXPLORING = 0.5


class R2D2State(NamedTuple):
    """The learner's state: arrays only.

    Attributes:
        trained: heads and memory.
        target: what learns, as it was at the last copy.
        updates: made so far.
        replay: the sequences.
        tail: end of the last rollout.
    """

    trained: Trained
    target: Params
    updates: Int[Array, ""]
    replay: PyTree
    tail: Tail


class R2D2(AbstractAgent):
    """R2D2 over a memory.

    Args:
        params: parameters of the memory that `init` starts from, or what draws them from a key.
        memory: puts the memory together from its parameters.
        action_space: of whole numbers, at most 512 joint actions.
        config: settings.
        train_memory: learn the memory too, by back-propagation through replayed sequences.
        example: what a memory reads at one step, of the right shapes and types.
        actors: B, environments whose rollouts it learns from.
    """

    exploring = EXPLORING

    def __init__(
        self,
        params: Params | Callable[[Key], Params],
        memory: Callable[[Params], EncodedMemory],
        action_space: Space,
        config: R2D2Config,
        train_memory: bool = False,
        *,
        example: StepInput,
        actors: int,
    ):
        self.config, self.actors = config, actors
        self.choices = Choices(action_space, "agent 'r2d2'")
        self.burn_in = config.burn_in if train_memory else 0
        self.length = config.sequence - config.burn_in
        heads = partial(Dueling, actions=self.choices.count, hidden=(config.hidden,) * 2)
        optimiser = adam(config.learning_rate, config.clip_norm, eps=1e-3)
        self.learner = Learner(params, memory, heads, optimiser, train_memory, action_space)
        self.replay = Replay(config.replay // self.length, config.batch_size, config.priority)
        self.example = example

    def init(self, *, key: Key) -> R2D2State:
        """See AbstractAgent."""
        trained = self.learner.init(key=key)
        sequence, tail = self._empty(trained)
        target = jnp.copy(self.learner.learned(trained))
        return R2D2State(trained, target, jnp.zeros((), int), self.replay.init(sequence), tail)

    def _empty(self, trained: Trained) -> tuple[Sequence, Tail]:
        """Return a sequence and an end of a rollout in which nothing has happened."""
        rows = self.learner.begin(trained, self.actors).memory
        read: PyTree = self.example
        if not self.learner.train_memory:
            rows, read = (), jnp.zeros(self.learner.size)
        repeat = lambda leaf, *n: jnp.zeros((*n, *leaf.shape), leaf.dtype)  # noqa: E731
        steps = self.burn_in + self.length + 1
        no, zero = jnp.zeros(self.length, bool), jnp.zeros(self.length)
        sequence = Sequence(
            jax.tree.map(lambda leaf: repeat(leaf, steps), read),
            jax.tree.map(lambda leaf: leaf[0], rows),
            jnp.zeros(self.length, jnp.int32),
            Transitions(no, zero, zero, no),
        )
        before = jax.tree.map(lambda leaf: repeat(leaf, self.burn_in, self.actors), read)
        return sequence, Tail(before, rows)

    def begin(self, state: R2D2State, batch: int) -> Actor:
        """See AbstractAgent."""
        return self.learner.begin(state.trained, batch)

    def act(
        self, state: R2D2State, carry: Actor, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[Actor, Action, Any]:
        """Take the best actions; if not greedy, now and then random ones, the first actors most."""
        rows, m = read(self.learner.memory(state.trained.memory), carry, step)
        index = jnp.argmax(self.learner.heads(state.trained.network, m), -1)
        if not greedy:
            keys, batch = jax.random.split(key), index.shape[0]
            explore = jax.random.uniform(keys[0], (batch,)) < ladder(self.config.epsilon, batch)
            random = jax.random.randint(keys[1], (batch,), 0, self.choices.count)
            index = jnp.where(explore, random, index)
        action = self.choices.action(index)
        return Actor(rows, action), action, () if self.learner.train_memory else m

    def networks(self, state: R2D2State) -> dict[str, Any]:
        """See AbstractAgent."""
        return self.learner.networks(state.trained)

    def acting(self, networks: Mapping[str, Any]) -> R2D2State:
        """See AbstractAgent."""
        return R2D2State(self.learner.acting(networks), (), (), (), ())

    def values(self, state: R2D2State, trajectory: Trajectory) -> Float[Array, "T B"]:
        """Return the best action's value; the memory is frozen. See AbstractAgent."""
        return self.learner.heads(state.trained.network, trajectory.extras).max(-1)

    def learn(
        self, state: R2D2State, trajectory: Trajectory, *, key: Key
    ) -> tuple[R2D2State, Metrics]:
        """Store the rollout, then learn from replayed sequences."""
        tail, sequences = self._cut(state, trajectory)
        replay = self.replay.add(state.replay, sequences)

        def update(state: R2D2State, key: Key) -> tuple[R2D2State, Metrics]:
            return self._update(state, self.replay.sample(state.replay, key=key))

        state = state._replace(replay=replay, tail=tail)
        state, metrics = jax.lax.scan(update, state, jax.random.split(key, self.config.updates))
        return state, jax.tree.map(jnp.mean, metrics)

    def _cut(self, state: R2D2State, trajectory: Trajectory) -> tuple[Tail, Sequence]:
        steps, trained = trajectory.step.first.shape[0], state.trained
        require(
            steps % self.length == 0,
            f"agent.sequence - agent.burn_in = {self.length}: expected a divisor of the rollout's "
            f"{steps} steps; set agent.rollout to a multiple of {self.length}",
        )
        moves = transitions(trajectory, self.config.gamma)
        action = self.choices.index(trajectory.action)
        if self.learner.train_memory:
            memory = self.learner.memory(trained.memory)
            unroll = jax.vmap(memory.unroll, (0, 1), (0, 1))
            advance = lambda rows, x: unroll(rows, x)[0]  # noqa: E731
            seen = inputs(trajectory, last=True)
            return cut(state.tail, seen, action, moves, self.length, advance)
        _, m = read(self.learner.memory(trained.memory), trajectory.after, trajectory.last)
        seen = jnp.concatenate([trajectory.extras, m[None]])
        return cut(state.tail, seen, action, moves, self.length, lambda rows, x: rows)

    def _update(self, state: R2D2State, sample: Sample) -> tuple[R2D2State, Metrics]:
        weight = importance(sample.probability, self.config.importance)
        other = self.learner.split(state.target, state.trained)
        loss = partial(self._loss, sample.items, weight, other)
        trained, metrics = self.learner.update(state.trained, loss)
        replay = self.replay.set_priorities(state.replay, sample.index, metrics.pop("priority"))
        updates = state.updates + 1
        copy = updates % self.config.target_period == 0
        target = jnp.where(copy, self.learner.learned(trained), state.target)
        return R2D2State(trained, target, updates, replay, state.tail), metrics

    def _loss(
        self,
        items: Sequence,
        weight: Float[Array, " N"],
        other: tuple[Params, Params],
        network: Params,
        memory: Params,
    ) -> tuple[Float[Array, ""], Metrics]:
        """Half the squared error of n-step double Q-learning, and the sequences' new priorities."""
        values = jax.vmap(self._values, (None, None, 0))
        q = values(network, memory, items)
        error = jax.vmap(self._errors)(q, values(*other, items), items)
        valid = items.moves.valid
        squares = jnp.where(valid, 0.5 * error**2, 0.0) * weight[:, None]
        priority = partial(sequence_priority, eta=self.config.eta)
        metrics = {
            "priority": jax.vmap(priority)(error, valid),
            "q": jnp.mean(q),
            "loss": jnp.sum(squares) / jnp.maximum(jnp.sum(valid), 1),
        }
        return metrics["loss"], metrics

    def _values(self, network: Params, memory: Params, item: Sequence) -> Float[Array, "length1 A"]:
        """Return the action values of the steps that are learned from, and of the one after."""
        if not self.learner.train_memory:
            return self.learner.heads(network, item.read)
        part = lambda low, high: jax.tree.map(lambda a: a[low:high], item.read)  # noqa: E731
        module, rows = self.learner.memory(memory), item.rows
        if self.burn_in:
            rows = module.unroll(rows, part(0, self.burn_in))[0]
        m = module.unroll(jax.lax.stop_gradient(rows), part(self.burn_in, None))[1]
        return self.learner.heads(network, m)

    def _errors(
        self, q: Float[Array, "length1 A"], other: Float[Array, "length1 A"], item: Sequence
    ) -> Float[Array, " length"]:
        """Return h(n-step return of h^-1(Q')) - Q; the online network chooses what Q' values."""
        v_t = unscale(of_action(other[1:], jnp.argmax(q[1:], -1)))
        moves = item.moves
        aim = n_step_returns(moves.reward, moves.discount, v_t, moves.goes_on, self.config.n_step)
        return jax.lax.stop_gradient(rescale(aim)) - of_action(q[:-1], item.action)


def ladder(epsilon: float, actors: int) -> Float[Array, " B"]:
    """Return each actor's share of random actions: epsilon^(1 + 7 i / (B - 1)) (Ape-X, eq. 1)."""
    return epsilon ** (1 + 7 * jnp.arange(actors) / max(actors - 1, 1))
