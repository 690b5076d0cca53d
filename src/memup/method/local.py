"""A memory-less model of a step's outcome, and its learner.

What it is uncertain of is what memory could explain: detectors score by it, what memory brings is
measured against its loss, and the selector `information-gain` learns what loss to expect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, PyTree

from memup.core.tree import Params, initial, rebuilder
from memup.core.types import Key, Metrics, Query
from memup.nn.distributions import AbstractDistribution


class LocalModel(eqx.Module):
    """A memory-less model of the outcomes.

    Attributes:
        predictor: gives the parameters of the likelihood from (o_k, a_k).
        likelihood: family of the outcomes.
    """

    predictor: eqx.Module
    likelihood: AbstractDistribution

    def loss(self, context: Query, target: Float[Array, " O"]) -> Float[Array, ""]:
        """Return -log q(y_k | x_k)."""
        return self.likelihood.loss(self.predictor(context), target)

    def score(self, context: Query) -> Float[Array, ""]:
        """Return how uncertain the outcome of the step is."""
        return self.likelihood.potential(self.predictor(context))

    def scores(self, context: Query) -> Float[Array, " O"]:
        """Return how uncertain every number of the outcome is."""
        return self.likelihood.potentials(self.predictor(context))

    def mean(self, context: Query) -> Float[Array, " O"]:
        """Return the outcome to expect at the step."""
        return self.likelihood.mean(self.predictor(context))


class LocalState(NamedTuple):
    """All that training a local model changes; arrays only.

    Attributes:
        model: parameters of the memory-less model.
        optimiser: optax state.
        updates: updates made.
    """

    model: Params
    optimiser: PyTree
    updates: Int[Array, ""]


@dataclass(frozen=True, eq=False)
class LocalLearner:
    """Learns the outcomes of single steps.

    Attributes:
        model: puts the model together from its parameters.
        initial: parameters before the first update.
        optimiser: what makes steps of gradients.
    """

    model: Callable[[Params], LocalModel]
    initial: Params
    optimiser: optax.GradientTransformation

    @classmethod
    def of(
        cls, make: Callable[[Key], LocalModel], learning_rate: float, *, key: Key
    ) -> "LocalLearner":
        """Make the learner of a model that is made from a key."""
        steps = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(learning_rate))
        safe = optax.apply_if_finite(steps, 2**31 - 1)
        return cls(rebuilder(make), initial(make, key), safe)

    def init(self, params: Params | None = None) -> LocalState:
        """Return the state before the first update, from given parameters or the initial ones."""
        params = jnp.copy(self.initial if params is None else params)
        return LocalState(params, self.optimiser.init(params), jnp.zeros((), jnp.int32))

    def losses(
        self, params: Params, query: Query, target: Float[Array, "N O"]
    ) -> Float[Array, " N"]:
        """Return -log q(y_k | x_k) of N steps."""
        return jax.vmap(self.model(params).loss)(query, target)

    def learn(
        self, state: LocalState, batch: tuple[Query, Float[Array, "N O"]]
    ) -> tuple[LocalState, Metrics]:
        """Make one update on N steps."""
        loss, gradient = jax.value_and_grad(lambda p: jnp.mean(self.losses(p, *batch)))(state.model)
        step, optimiser = self.optimiser.update(gradient, state.optimiser, state.model)
        metrics = {"loss": loss, "skipped_in_a_row": optimiser.notfinite_count}
        return LocalState(state.model + step, optimiser, state.updates + 1), metrics

    def learn_many(
        self, state: LocalState, batches: tuple[Query, Float[Array, "n N O"]]
    ) -> tuple[LocalState, Metrics]:
        """Make n updates in one program; metrics [n]."""
        return jax.lax.scan(self.learn, state, batches)

    def score(self, params: Params, query: Query) -> Float[Array, " N"]:
        """Return the uncertainty of N steps."""
        return jax.vmap(self.model(params).score)(query)

    def scores(self, params: Params, query: Query) -> Float[Array, "N O"]:
        """Return the uncertainty of every number at N steps."""
        return jax.vmap(self.model(params).scores)(query)

    def mean(self, params: Params, query: Query) -> Float[Array, "N O"]:
        """Return the outcome to expect at N steps."""
        return jax.vmap(self.model(params).mean)(query)
