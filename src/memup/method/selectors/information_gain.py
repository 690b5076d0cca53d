"""The selector `information-gain`: targets that memory has been found to explain.

Others are tried now and then.

A random payment is as uncertain as a choice that a hint decides, and stays so for ever: by
uncertainty alone it takes the slots of U_t. What memory can explain shows once some memory exists,
as the gap between the uncertainty without memory and the loss with it,

    gain_k = H(y_k | x_k) - E[-log q(y_k | m_t, x_k)],

whose second term is learned from the losses of updates, as a function of x_k alone. Of the steps
whose uncertainty is high, K are sampled without replacement with probability proportional to
exp(gain_k / 0.05 nats), or, for one query in four, with equal probability: a step must be tried
before it can gain.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Float, Int

from memup.core.types import Targets, Window
from memup.method.local import LocalLearner, LocalState
from memup.method.selectors.base import (
    SHARE,
    AbstractSelector,
    LookUp,
    Plans,
    Rng,
    Scores,
    SelectorParts,
    Steps,
)

MOST = 64
TEMPERATURE = 0.05
EXPLORED = 0.25
UPDATES = 8
BATCH = 1024
AT_ONCE = 4096


class Candidates(NamedTuple):
    """Steps of one episode that may be targets.

    Attributes:
        step: ascending, [C].
        score: uncertainty without memory, [C].
        loss: expected loss with memory, [C]; None while nothing is known of it.
    """

    step: Int[np.ndarray, " C"]
    score: Float[np.ndarray, " C"]
    loss: Float[np.ndarray, " C"] | None = None


class InformationGain(AbstractSelector):
    """K candidates k >= t, sampled by the gain that memory has brought there.

    Args:
        width: K.
        gains: what learns the loss to expect.
        explored: share of the queries that try any candidate.
    """

    adapts = True

    def __init__(self, width: int, gains: "GainModel", explored: float = EXPLORED):
        super().__init__(width)
        self.gains, self.explored = gains, explored

    @classmethod
    def make(cls, parts: SelectorParts) -> "InformationGain":
        """See AbstractSelector."""
        return cls(parts.width, GainModel(parts.regression(), parts.look_up))

    def greedy(self) -> "InformationGain":
        """See AbstractSelector."""
        return InformationGain(self.width, self.gains, 0.0)

    def start(self) -> LocalState:
        """See AbstractSelector."""
        return self.gains.learner.init()

    def observe(
        self, state: LocalState, windows: Window, losses: Float[np.ndarray, "n B Q K"], *, rng: Rng
    ) -> LocalState:
        """See AbstractSelector."""
        return self.gains.learn(state, windows, losses, rng)

    def informed(self, state: LocalState, plans: Plans) -> Plans:
        """See AbstractSelector; nothing is asked before the first update."""
        if not int(state.updates) or not plans:
            return plans
        losses = self.gains.expected(state, {episode: p.step for episode, p in plans.items()})
        return {episode: p._replace(loss=losses[episode]) for episode, p in plans.items()}

    def plan(self, score: Scores) -> Candidates:
        """Return the steps of at least a tenth of the highest score; the highest 64 if more."""
        step = np.flatnonzero(score >= SHARE * score.max()) if len(score) else np.arange(0)
        if len(step) > MOST:
            # Equal scores must not favour a part of the episode: ties are broken by a hash.
            mixed = (step * 2654435761) % 2**32 / 2**32
            step = step[np.lexsort((mixed, -score[step]))[:MOST]]
        # So that every query has a target.
        step = np.union1d(step, np.arange(len(score))[-1:])
        return Candidates(step, score[step])

    def select(self, score: Scores, query: Steps, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        step, potential, loss = plan or self.plan(score)
        logit = np.zeros((len(query), len(step)))
        if loss is not None:
            gaining = rng.random(len(query)) >= self.explored
            logit[gaining] = (potential - loss) / TEMPERATURE
        key = logit + rng.gumbel(size=logit.shape)
        key = np.where(step[None, :] >= query[:, None], key, -np.inf)
        key = np.pad(key, ((0, 0), (0, max(0, self.width - len(step)))), constant_values=-np.inf)
        best = np.argsort(-key, axis=1)[:, : self.width]
        chosen = np.take_along_axis(key, best, axis=1) > -np.inf
        index = np.where(chosen, np.append(step, 0)[np.minimum(best, len(step))], query[:, None])
        return Targets(index, chosen.astype(np.float32))


class GainModel:
    """The loss to expect with memory at a step, told from the step alone.

    Args:
        learner: a memory-less model of one number, whose outcome is here the loss.
        look_up: gives the local questions of steps.
    """

    def __init__(self, learner: LocalLearner, look_up: LookUp):
        self.learner, self.look_up = learner, look_up
        self._learn = jax.jit(learner.learn_many, donate_argnums=0)
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
        drawn = jax.tree.map(lambda a: a.reshape(-1, *a.shape[axes:])[pick], windows.context)
        return self._learn(state, (drawn, losses.reshape(-1, 1)[pick]))[0]

    def expected(
        self, state: LocalState, steps: dict[int, np.ndarray]
    ) -> dict[int, Float[np.ndarray, " C"]]:
        """Return the losses to expect at steps of episodes, by episode."""
        counts = [len(s) for s in steps.values()]
        owner, step = np.repeat(list(steps), counts), np.concatenate(list(steps.values()))
        # In blocks of one size, so that one program answers however many there are.
        fill = partial(np.pad, pad_width=(0, -len(step) % AT_ONCE), mode="edge")
        blocks = zip(*(fill(a).reshape(-1, AT_ONCE) for a in (owner, step)), strict=True)
        told = [np.asarray(self._mean(state.model, self.look_up(*block)))[:, 0] for block in blocks]
        parts = np.split(np.concatenate(told)[: len(step)], np.cumsum(counts)[:-1])
        return dict(zip(steps, parts, strict=True))
