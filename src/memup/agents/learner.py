"""Heads on a memory, and what trains them: the part that all policy and value learners share.

With `train_memory` the gradient passes through the memory over the rollout that is learned from, as
in every recurrent baseline; without, the memory is frozen, its outputs are those that were stored
while acting, and only the heads learn, as in MemUP's second phase.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, PyTree

from memup.agents.actor import Actor, begin_actors
from memup.core.spaces import Space
from memup.core.tree import Params, initial, ravel, rebuilder
from memup.core.types import Key, Metrics, State, StepInput, Trajectory
from memup.memories.encoded import EncodedMemory


class Trained(NamedTuple):
    """What learns: arrays only.

    Attributes:
        network: parameters of the heads.
        memory: parameters of what they stand on.
        optimiser: optax state.
    """

    network: Params
    memory: Params
    optimiser: PyTree


class Seen(NamedTuple):
    """What B memories read, and what they made of it while acting.

    Attributes:
        x: inputs, leaves [T, B, ...].
        rows: their states before the first input, leaves [B, ...].
        m: their outputs, [T, B, D].
    """

    x: StepInput
    rows: State
    m: Float[Array, "T B D"]


class Learner:
    """Heads and memory as one vector of parameters.

    Args:
        params: parameters of the memory that `init` starts from, or what draws them from a key.
        memory: puts the memory together from its parameters.
        heads: (D, key) -> module that reads a memory's outputs [..., D].
        optimiser: of what learns.
        train_memory: learn the memory too.
        action_space: of the actions that the memory reads.
    """

    def __init__(
        self,
        params: Params | Callable[[Key], Params],
        memory: Callable[[Params], EncodedMemory],
        heads: Callable[..., Any],
        optimiser: optax.GradientTransformation,
        train_memory: bool,
        action_space: Space,
    ):
        self.memory, self.train_memory, self.action_space = memory, train_memory, action_space
        self._start = params if callable(params) else lambda key: jnp.copy(params)
        self.optimiser = optax.apply_if_finite(optimiser, 2**31 - 1)
        shape = jax.eval_shape(self._start, jax.random.key(0))
        self.size = eqx.filter_eval_shape(memory, shape).output_size
        self._make = lambda key: heads(self.size, key=key)
        self.network = rebuilder(self._make)

    def init(self, *, key: Key) -> Trained:
        """Return new heads on the memory."""
        keys = jax.random.split(key)
        network, memory = initial(self._make, keys[0]), self._start(keys[1])
        return Trained(network, memory, self.optimiser.init(self._join(network, memory)))

    def begin(self, state: Trained, batch: int) -> Actor:
        """Return what B actors carry before their first step."""
        return begin_actors(self.memory(state.memory), self.action_space, batch)

    def networks(self, state: Trained) -> dict[str, Any]:
        """Return heads and memory as modules; see AbstractAgent."""
        return {"policy": self.network(state.network), "memory": self.memory(state.memory)}

    def acting(self, networks: Mapping[str, Any]) -> Trained:
        """Return what acts with these modules, and cannot learn; see AbstractAgent."""
        return Trained(ravel(networks["policy"]), ravel(networks["memory"]), ())

    def heads(self, network: Params, m: Float[Array, "... D"]) -> Any:
        """Apply the heads to every output of a memory."""
        return self.network(network)(m)

    def outputs(self, memory: Params, seen: Seen) -> Float[Array, "T B D"]:
        """Return the memory's outputs: read anew where it learns, as they were where it is frozen.

        The gradient ends at the stored state.
        """
        if not self.train_memory:
            return seen.m
        unroll = jax.vmap(self.memory(memory).unroll, (0, 1), (0, 1))
        return unroll(jax.lax.stop_gradient(seen.rows), seen.x)[1]

    def update(
        self, state: Trained, loss: Callable[[Params, Params], tuple[Array, Metrics]]
    ) -> tuple[Trained, Metrics]:
        """Take one step down a gradient; a step that is not finite is skipped and counted.

        Args:
            state: what learns.
            loss: (parameters of the heads, of the memory) -> loss, metrics.
        """
        learned = self.learned(state)
        gradient, metrics = jax.grad(lambda v: loss(*self.split(v, state)), has_aux=True)(learned)
        step, optimiser = self.optimiser.update(gradient, state.optimiser, learned)
        metrics["skipped_in_a_row"] = optimiser.notfinite_count.astype(jnp.float32)
        return Trained(*self.split(learned + step, state), optimiser), metrics

    def sweep(
        self, state: Trained, loss: Callable[..., Any], batch: Any, parts: int, *, key: Key
    ) -> tuple[Trained, Metrics]:
        """Learn once from each of so many parts of a batch, drawn by actor; metrics [parts].

        Args:
            state: what learns.
            loss: (part of the batch, parameters of the heads, of the memory) -> loss, metrics.
            batch: leaves [T, B, ...], `Seen` among them; it has a field `log_prob`.
            parts: a divisor of B.
            key: which actors are together.
        """

        def minibatch(state: Trained, columns: Array) -> tuple[Trained, Metrics]:
            return self.update(state, partial(loss, take_actors(batch, columns)))

        columns = jax.random.permutation(key, batch.log_prob.shape[1]).reshape(parts, -1)
        return jax.lax.scan(minibatch, state, columns)

    def learned(self, state: Trained) -> Params:
        """Lay end to end what learns: the heads, and the memory unless it is frozen."""
        return self._join(state.network, state.memory)

    def split(self, learned: Params, state: Trained) -> tuple[Params, Params]:
        """Return the parameters of heads and memory; a frozen memory is the one in `state`."""
        size = state.network.shape[0]
        return learned[:size], learned[size:] if self.train_memory else state.memory

    def _join(self, network: Params, memory: Params) -> Params:
        return jnp.concatenate([network, memory]) if self.train_memory else network


def adam(learning_rate: float, clip_norm: float, eps: float = 1e-5) -> optax.GradientTransformation:
    """Return Adam behind a clip of the gradient's norm."""
    steps = optax.adam(learning_rate, eps=eps)
    return optax.chain(optax.clip_by_global_norm(clip_norm), steps)


def rmsprop(
    learning_rate: float, clip_norm: float, eps: float = 1e-5
) -> optax.GradientTransformation:
    """Return RMSProp without momentum, of decay 0.99, behind a clip of the gradient's norm.

    Its scale forgets large gradients within 100 updates, where Adam's takes 1,000: until then the
    small gradient of an entropy bonus moves nothing, and a policy that is certain stays so.
    """
    steps = optax.rmsprop(
        learning_rate, decay=0.99, eps=eps, eps_in_sqrt=False, bias_correction=True
    )
    return optax.chain(optax.clip_by_global_norm(clip_norm), steps)


def inputs(trajectory: Trajectory, last: bool = False) -> StepInput:
    """Return what the memories read in a rollout: each step beside the action before it.

    Args:
        trajectory: T steps.
        last: read the step that follows them, too: then T+1 inputs.
    """
    step, action = trajectory.step, trajectory.action
    if last:
        step = jax.tree.map(
            lambda now, end: jnp.concatenate([now, end[None]]), step, trajectory.last
        )
    else:
        action = jax.tree.map(lambda a: a[:-1], action)
    previous = jax.tree.map(
        lambda begun, then: jnp.concatenate([begun[None], then]), trajectory.before.action, action
    )
    return StepInput(step.obs, previous, step.reward, step.first)


def take_actors(tree: PyTree, columns: Array) -> PyTree:
    """Take some actors of leaves [T, B, ...]; of `Seen`, also their states."""

    def take(part: Any) -> Any:
        if isinstance(part, Seen):
            rows = jax.tree.map(lambda a: jnp.take(a, columns, axis=0), part.rows)
            return Seen(take_actors(part.x, columns), rows, jnp.take(part.m, columns, axis=1))
        return jnp.take(part, columns, axis=1)

    return jax.tree.map(take, tree, is_leaf=lambda part: isinstance(part, Seen))


def move_memory(agent: Any, move: Callable[[Params], Params]) -> Any:
    """Return the state of an agent on a memory whose parameters are `move` of what they were."""
    trained = agent.trained
    return agent._replace(trained=trained._replace(memory=move(trained.memory)))
