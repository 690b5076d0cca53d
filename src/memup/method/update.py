"""The update of memory and predictor (Sorokin et al. 2022, eq. 5).

    L = - sum_t sum_{k in U_t} log q(y_k | m_t, x_k)

m_t depends on the parameters through the R steps of the window only: the state that the window
begins with is a constant. The gradient so passes through R + K elements, however far k is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from memup.core.tree import Params
from memup.core.types import Key, Metrics, Query, State, Window
from memup.memories.encoded import EncodedMemory, forget, initial_carry, read_burn_in
from memup.method.predictor import Predictor
from memup.nn.distributions import AbstractDistribution


class Model(eqx.Module):
    """What phase I trains.

    Attributes:
        memory: encoder and memory.
        predictor: answers questions about far steps.
        likelihood: family of the outcomes.
    """

    memory: EncodedMemory
    predictor: Predictor
    likelihood: AbstractDistribution

    def losses(
        self, memory: Float[Array, "N D"], context: Query, target: Float[Array, "N K O"]
    ) -> Float[Array, "N K"]:
        """Return -log q(y_k | m_t, x_k) of the K targets of N queries, in nats.

        All N*K questions lie on one axis: with several, XLA would copy the gradient of every
        layer before multiplying.
        """
        count = target.shape[:2]
        recalled = jnp.repeat(jax.vmap(self.predictor.recall)(memory), count[1], axis=0)
        flat = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), (context, target))
        params = jax.vmap(self.predictor.answer)(recalled, flat[0])
        return jax.vmap(self.likelihood.loss)(params, flat[1]).reshape(count)


class TrainState(NamedTuple):
    """All that training changes; arrays only.

    Attributes:
        model: parameters of the model.
        slow: their exponential moving average.
        optimiser: optax state; it counts the updates that were skipped.
        carry: state of the memory in every row, leaves [B, ...].
        updates: updates made.
    """

    model: Params
    slow: Params
    optimiser: PyTree
    carry: State
    updates: Int[Array, ""]


@dataclass(frozen=True, eq=False)
class MemUP:
    """The learner: `init`, then `learn` on one window or `learn_many` on a stack of them.

    Attributes:
        model: puts the model together from its parameters.
        optimiser: what makes steps of gradients.
        ema_decay: of the slow copy, a step.
        noise: of what is dropped and forgotten while it learns; None: nothing.
        forget: share of the windows that begin with a memory that has forgotten what it read.
    """

    model: Callable[[Params], Model]
    optimiser: optax.GradientTransformation
    ema_decay: float
    noise: Key | None = None
    forget: float = 0.0

    @classmethod
    def of(
        cls,
        model: Callable[[Params], Model],
        learning_rate: float | optax.Schedule,
        clip_norm: float,
        ema: float,
        noise: Key | None = None,
        forget: float = 0.0,
    ) -> "MemUP":
        """Make the learner of a model that `memup.core.tree.rebuilder` puts together."""
        steps = optax.chain(optax.clip_by_global_norm(clip_norm), optax.adam(learning_rate))
        # A step that is not finite never reaches the parameters: it is skipped and counted.
        safe = optax.apply_if_finite(steps, max_consecutive_errors=2**31 - 1)
        return cls(model, safe, ema, noise, forget)

    def init(self, params: Params, batch_size: int) -> TrainState:
        """Return the state before the first update, with B rows at the beginning of an episode."""
        many = initial_carry(self.model(params).memory, batch_size)
        begin = jnp.zeros((), jnp.int32)
        return TrainState(params, jnp.copy(params), self.optimiser.init(params), many, begin)

    def loss(
        self, params: Params, carry: State, window: Window, key: Key | None = None
    ) -> tuple[Float[Array, ""], tuple[State, Float[Array, "B Q K"]]]:
        """Return the weighted mean loss, the rows' states after the window and all losses.

        With a key, the encoder drops some of what it gives, and some rows forget; so it is in
        learning alone.
        """
        model = self.model(params)
        constant = self.model(jax.lax.stop_gradient(params)).memory
        carry = jax.lax.stop_gradient(read_burn_in(constant, carry, window.burn_in))
        count, keys = len(window.x.first), ()
        if key is not None:
            lost = jax.random.bernoulli(jax.random.fold_in(key, 1), self.forget, (count,))
            carry = forget(constant, carry, lost)
            keys = (jax.random.split(key, count),)
        carry, m = jax.vmap(model.memory.unroll)(carry, window.x, *keys)
        asked = jnp.take(m, window.query, axis=1)
        questions = (asked, window.context, window.target)
        flat = jax.tree.map(lambda a: a.reshape(-1, *a.shape[2:]), questions)
        losses = model.losses(*flat).reshape(window.weight.shape)
        total = jnp.sum(jnp.where(window.weight > 0, losses * window.weight, 0.0))
        return total / jnp.maximum(jnp.sum(window.weight), 1.0), (carry, losses)

    def learn(self, state: TrainState, window: Window) -> tuple[TrainState, Metrics]:
        """Make one update. Pure; `vmap` over a leading axis trains several seeds at once.

        The metrics' "losses" are those of single targets, [B, Q, K]; the others are numbers.
        """
        grad = jax.value_and_grad(self.loss, has_aux=True)
        # By the number of the update, so that a run that goes on drops the same.
        key = None if self.noise is None else jax.random.fold_in(self.noise, state.updates)
        (loss, (carry, losses)), gradient = grad(state.model, state.carry, window, key)
        step, optimiser = self.optimiser.update(gradient, state.optimiser, state.model)
        params = state.model + step
        slow = self.ema_decay * state.slow + (1 - self.ema_decay) * params
        metrics = {
            "loss": loss,
            "losses": losses,
            "gradient_norm": optax.tree.norm(gradient),
            "skipped": optimiser.total_notfinite,
            "skipped_in_a_row": optimiser.notfinite_count,
        }
        return TrainState(params, slow, optimiser, carry, state.updates + 1), metrics

    def learn_many(self, state: TrainState, windows: Window) -> tuple[TrainState, Metrics]:
        """Make n updates in one program, on windows with a leading axis n; metrics [n]."""
        return jax.lax.scan(self.learn, state, windows)

    def evaluate_many(
        self, params: Params, carry: State, windows: Window
    ) -> tuple[State, Float[Array, "n B Q K"]]:
        """Return the losses of n consecutive windows of rows, without learning."""

        def body(carry: State, window: Window) -> tuple[State, Array]:
            _, (carry, losses) = self.loss(params, carry, window)
            return carry, losses

        return jax.lax.scan(body, carry, windows)
