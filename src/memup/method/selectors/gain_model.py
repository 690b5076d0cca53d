"""The gain of memory at a step, told from the step and from how far ahead it lies."""

from functools import partial

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float

from memup.core.types import Query, Window
from memup.method.distance import distance_code
from memup.method.local import LocalLearner, LocalState
from memup.method.predictor import LocalPredictor
from memup.method.selectors.base import LookUp, Rng, Without

UPDATES = 8
BATCH = 1024
AT_ONCE = 4096


class ExpectedGain(eqx.Module):
    """E[log q(y_k | m_t, x_k) - log q(y_k | x_k)] given x_k, a number for each distance code.

    Attributes:
        predictor: gives these numbers from the local question.
    """

    predictor: LocalPredictor

    def loss(self, query: Query, target: Float[Array, "1"]) -> Float[Array, ""]:
        """Return the squared error at the query's own distance."""
        return (self.predictor(query)[distance_code(query.distance)] - target[0]) ** 2

    def mean(self, query: Query) -> Float[Array, " C"]:
        """Return the gains to expect at all distances, in nats."""
        return self.predictor(query)


class GainModel:
    """Learns what gains to expect from the losses that updates had.

    Args:
        learner: of an ExpectedGain.
        look_up: gives the local questions of steps.
        without: gives the losses of outcomes without memory, in the same nats.
    """

    def __init__(self, learner: LocalLearner, look_up: LookUp, without: Without):
        self.learner, self.look_up, self.without = learner, look_up, without
        self._learn = jax.jit(learner.learn_many)
        self._mean = jax.jit(learner.mean)

    def learn(
        self, state: LocalState, windows: Window, losses: Float[np.ndarray, "n B Q K"], rng: Rng
    ) -> LocalState:
        """Learn from the losses that a chunk of updates had at its targets."""
        counted = np.flatnonzero(windows.weight.ravel())
        if len(counted) == 0:
            return state
        pick = counted[rng.integers(len(counted), size=(UPDATES, BATCH))]
        axes = windows.weight.ndim
        query, target = jax.tree.map(
            lambda a: a.reshape(-1, *a.shape[axes:])[pick.ravel()],
            (windows.context, windows.target),
        )
        gain = self.without(query, target) - losses.ravel()[pick.ravel()]
        drawn = jax.tree.map(lambda a: a.reshape(*pick.shape, *a.shape[1:]), query)
        return self._learn(state, (drawn, gain.reshape(*pick.shape, 1)))[0]

    def expected(
        self, state: LocalState, steps: dict[int, np.ndarray]
    ) -> dict[int, Float[np.ndarray, "C D"]]:
        """Return the gains to expect at steps of episodes, at every distance, by episode."""
        counts = [len(s) for s in steps.values()]
        owner, step = np.repeat(list(steps), counts), np.concatenate(list(steps.values()))
        # In blocks of one size, so that one program answers however many there are.
        fill = partial(np.pad, pad_width=(0, -len(step) % AT_ONCE), mode="edge")
        blocks = zip(*(fill(a).reshape(-1, AT_ONCE) for a in (owner, step)), strict=True)
        told = [np.asarray(self._mean(state.model, self.look_up(*block))) for block in blocks]
        parts = np.split(np.concatenate(told)[: len(step)], np.cumsum(counts)[:-1])
        return dict(zip(steps, parts, strict=True))
