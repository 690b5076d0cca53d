"""Detectors: which steps have an outcome that is uncertain when only the step itself is seen.

H(y_k | x_k) is high where memory could help (Sorokin et al. 2022, section 3). `entropy` and
`quantile` learn it without a memory. `surprise`, the authors' released variant, and `oracle`, which
is told, learn nothing here: see memup.method.detectors.unlearned.
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
from memup.core.types import Metrics, Query
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


class DetectorState(NamedTuple):
    """All that training a detector changes; arrays only.

    Attributes:
        model: parameters of the memory-less model.
        optimiser: optax state.
        updates: updates made.
    """

    model: Params
    optimiser: PyTree
    updates: Int[Array, ""]


@dataclass(frozen=True, eq=False)
class LocalDetector:
    """Learns the outcomes of single steps: the detectors `entropy` and `quantile`.

    Attributes:
        model: puts the model together from its parameters.
        optimiser: what makes steps of gradients.
    """

    model: Callable[[Params], LocalModel]
    optimiser: optax.GradientTransformation

    @classmethod
    def of(cls, model: Callable[[Params], LocalModel], learning_rate: float) -> "LocalDetector":
        """Make the detector of a model that `memup.core.tree.rebuilder` puts together."""
        steps = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(learning_rate))
        return cls(model, optax.apply_if_finite(steps, 2**31 - 1))

    def init(self, vector: Params) -> DetectorState:
        """Return the state before the first update."""
        return DetectorState(vector, self.optimiser.init(vector), jnp.zeros((), jnp.int32))

    def losses(
        self, vector: Params, context: Query, target: Float[Array, "N O"]
    ) -> Float[Array, " N"]:
        """Return -log q(y_k | x_k) of N steps."""
        return jax.vmap(self.model(vector).loss)(context, target)

    def learn(
        self, state: DetectorState, batch: tuple[Query, Float[Array, "N O"]]
    ) -> tuple[DetectorState, Metrics]:
        """Make one update on N steps."""
        loss, gradient = jax.value_and_grad(lambda v: jnp.mean(self.losses(v, *batch)))(state.model)
        step, optimiser = self.optimiser.update(gradient, state.optimiser, state.model)
        metrics = {"loss": loss, "skipped_in_a_row": optimiser.notfinite_count}
        return DetectorState(state.model + step, optimiser, state.updates + 1), metrics

    def learn_many(
        self, state: DetectorState, batches: tuple[Query, Float[Array, "n N O"]]
    ) -> tuple[DetectorState, Metrics]:
        """Make n updates in one program; metrics [n]."""
        return jax.lax.scan(self.learn, state, batches)

    def score(self, vector: Params, context: Query) -> Float[Array, " N"]:
        """Return the uncertainty of N steps."""
        return jax.vmap(self.model(vector).score)(context)
