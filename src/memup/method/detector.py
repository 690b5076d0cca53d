"""Detectors: which steps have an outcome that is uncertain when only the step itself is seen.

H(y_k | x_k) is high where memory could help (Sorokin et al. 2022, section 3). `entropy` and
`quantile` learn it without a memory; `surprise` is the authors' released variant, the loss of a
slow copy of memory and predictor; `oracle` is told, for tests.
"""

from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Int, PyTree

from memup.data.orders import Visit
from memup.data.store import EpisodeStore
from memup.method.predictor import LocalPredictor
from memup.method.target import AbstractTarget
from memup.method.update import MemUP
from memup.method.windows import Windows
from memup.nn.likelihood import AbstractLikelihood
from memup.types import Context, Metrics


class LocalModel(eqx.Module):
    """A memory-less model of the outcomes.

    Attributes:
        predictor: gives the parameters of the likelihood from (o_k, a_k).
        likelihood: family of the outcomes.
    """

    predictor: LocalPredictor
    likelihood: AbstractLikelihood

    def loss(self, context: Context, target: Float[Array, " O"]) -> Float[Array, ""]:
        """Return -log q(y_k | x_k)."""
        return self.likelihood.nll(self.predictor(context), target)

    def score(self, context: Context) -> Float[Array, ""]:
        """Return how uncertain the outcome of the step is."""
        return self.likelihood.spread(self.predictor(context))


class DetectorState(NamedTuple):
    """All that training a detector changes; arrays only.

    Attributes:
        model: arrays of the memory-less model.
        optimiser: optax state.
        updates: updates made.
    """

    model: PyTree
    optimiser: PyTree
    updates: Int[Array, ""]


@dataclass(frozen=True, eq=False)
class LocalDetector:
    """Learns the outcomes of single steps: the detectors `entropy` and `quantile`.

    Attributes:
        static: the model without its arrays.
        optimiser: what makes steps of gradients.
    """

    static: PyTree
    optimiser: optax.GradientTransformation

    @classmethod
    def of(cls, model: LocalModel, learning_rate: float) -> tuple["LocalDetector", PyTree]:
        """Split a model; return the detector and the model's arrays."""
        arrays, static = eqx.partition(model, eqx.is_array)
        steps = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(learning_rate))
        return cls(static, optax.apply_if_finite(steps, 2**31 - 1)), arrays

    def init(self, arrays: PyTree) -> DetectorState:
        """Return the state before the first update."""
        return DetectorState(arrays, self.optimiser.init(arrays), jnp.zeros((), jnp.int32))

    def losses(
        self, arrays: PyTree, context: Context, target: Float[Array, "N O"]
    ) -> Float[Array, " N"]:
        """Return -log q(y_k | x_k) of N steps."""
        return jax.vmap(eqx.combine(arrays, self.static).loss)(context, target)

    def learn(
        self, state: DetectorState, batch: tuple[Context, Float[Array, "N O"]]
    ) -> tuple[DetectorState, Metrics]:
        """Make one update on N steps."""
        loss, gradient = jax.value_and_grad(lambda a: jnp.mean(self.losses(a, *batch)))(state.model)
        step, optimiser = self.optimiser.update(gradient, state.optimiser, state.model)
        metrics = {"loss": loss, "skipped_in_a_row": optimiser.notfinite_count}
        arrays = optax.apply_updates(state.model, step)
        return DetectorState(arrays, optimiser, state.updates + 1), metrics

    def learn_many(
        self, state: DetectorState, batches: tuple[Context, Float[Array, "n N O"]]
    ) -> tuple[DetectorState, Metrics]:
        """Make n updates in one program; metrics [n]."""
        return jax.lax.scan(self.learn, state, batches)

    def score(self, arrays: PyTree, context: Context) -> Float[Array, " N"]:
        """Return the uncertainty of N steps."""
        return jax.vmap(eqx.combine(arrays, self.static).score)(context)


def surprise(
    learner: MemUP,
    arrays: PyTree,
    windows: Windows,
    ids: Int[np.ndarray, " B"],
    count: int,
    evaluate: object,
) -> list[Float[np.ndarray, " T"]]:
    """Score whole episodes by -log q(y_k | m_k, x_k) of the (slow) model with memory.

    Args:
        learner: owner of the model.
        arrays: arrays of the slow copy.
        windows: a builder whose selector is `Current` and whose stride is 1.
        ids: B episodes.
        count: windows that are enough for the longest of them.
        evaluate: compiled `learner.evaluate_many`, given (arrays, rows, windows).

    Returns:
        The score of every step of each episode; 0 where a step has no outcome.
    """
    from memup.memories.encoded import initial_rows

    lengths = windows.store.lengths(ids)
    spans = enumerate(zip(ids, lengths, strict=True))
    visits = [Visit(row, int(i), 0, int(n), 0, True) for row, (i, n) in spans]
    batch = windows.build(visits, len(ids), count, np.random.default_rng(0))
    rows = initial_rows(learner.model(arrays).memory, len(ids))
    _, losses = evaluate(arrays, rows, batch)
    flat = np.swapaxes(np.asarray(losses) * (batch.weight > 0), 0, 1).reshape(len(ids), -1)
    return [row[:n] for row, n in zip(flat, lengths, strict=True)]


def oracle(
    store: EpisodeStore, target: AbstractTarget, ids: Int[np.ndarray, " N"], tail: int
) -> list[Float[np.ndarray, " T"]]:
    """Score episodes by what is known: the field `oracle`, or else the last `tail` outcomes."""
    scores = []
    for episode in ids:
        length = int(store.lengths(np.array([episode]))[0])
        if "oracle" in store.fields:
            score = np.asarray(store.episode(int(episode))["oracle"], np.float32)
        else:
            score = (np.arange(length) >= length - target.lead - tail).astype(np.float32)
        scores.append(score)
    return scores
