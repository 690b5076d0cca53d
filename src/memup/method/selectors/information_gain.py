"""The selector `information-gain`: targets at the distances where memory explains them.

A random payment is as uncertain as a choice that a hint decides, and stays so for ever: by
uncertainty alone it takes the slots of U_t. And where every step is uncertain, the most uncertain
one lies far ahead, where nothing that is known now will still count. What memory can explain shows
once some memory exists, as the gap between the uncertainty without memory and the loss with it,

    gain(x_k, k - t) = E[log q(y_k | m_t, x_k) - log q(y_k | x_k) | x_k, k - t],

which is learned from the losses of updates and those of the memory-less model. Candidates of a
query are uncertain steps at log-uniform distances, counted in uncertain steps: one each of the
next, the one after, the 2 or 3 after, the 4 to 7 after, and so on. K of them are sampled without
replacement with probability proportional to gain, and a little for trying.

Where gain does not depend on the distance this is the paper's choice among what can be explained;
where only the next uncertain step can be known it is that one; where each step asks for what came
just before, it is the present step, as in ordinary training; and noise is not chosen.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from memup.core.types import Targets, Window
from memup.method.distance import distance_code
from memup.method.local import LocalState
from memup.method.selectors.base import SHARE, AbstractSelector, Plans, Rng, Scores, SelectorParts
from memup.method.selectors.gain_model import ExpectedGain, GainModel

TRIED = 0.1
"""What a candidate of no gain weighs beside one of the highest gain."""
LEAST = 0.02
"""Nats: gains below are not told from the noise of their estimate."""
MOST = 4096
"""Uncertain steps of an episode that are kept as candidates, evenly drawn if there are more."""


class Candidates(NamedTuple):
    """Steps of one episode that may be targets.

    Attributes:
        step: ascending, [C].
        score: uncertainty without memory, [C].
        gain: to expect at every code of the distance, [C, D], in nats; None while nothing is known
            of it.
    """

    step: Int[np.ndarray, " C"]
    score: Float[np.ndarray, " C"]
    gain: Float[np.ndarray, "C D"] | None = None


class InformationGain(AbstractSelector):
    """K candidates k >= t, sampled by the gain that memory has brought there.

    Args:
        width: K.
        gains: what learns the gain to expect.
        tried: what a candidate of no gain weighs.
    """

    adapts = True

    def __init__(self, width: int, gains: GainModel, tried: float = TRIED):
        super().__init__(width)
        self.gains, self.tried = gains, tried

    @classmethod
    def make(cls, parts: SelectorParts) -> "InformationGain":
        """See AbstractSelector."""
        model = GainModel(parts.learner(ExpectedGain), parts.look_up, parts.without)
        return cls(parts.width, model)

    def greedy(self) -> "InformationGain":
        """See AbstractSelector: only what is never explained is left out."""
        return InformationGain(self.width, self.gains, self.tried / 10)

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
        gains = self.gains.expected(state, {episode: p.step for episode, p in plans.items()})
        return {episode: p._replace(gain=gains[episode]) for episode, p in plans.items()}

    def plan(self, score: Scores) -> Candidates:
        """Return the steps of at least a tenth of the highest score, the last step among them."""
        step = np.flatnonzero(score >= SHARE * score.max()) if len(score) else np.arange(0)
        if len(step) > MOST:
            mixed = (step * 2654435761) % 2**32
            step = np.sort(step[np.argsort(mixed)[:MOST]])
        # So that every query has a target.
        step = np.union1d(step, np.arange(len(score))[-1:])
        return Candidates(step, score[step])

    def select(self, score: Scores, query: np.ndarray, *, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        candidates = plan or self.plan(score)
        place, there = _places(candidates.step, query, self.width, rng)
        step = candidates.step[place]
        key = np.log(self._worth(candidates, place, step - query[:, None]))
        key = np.where(there, key + rng.gumbel(size=key.shape), -np.inf)
        best = np.argsort(-key, axis=1)[:, : self.width]
        chosen = np.take_along_axis(there, best, axis=1)
        index = np.where(chosen, np.take_along_axis(step, best, axis=1), query[:, None])
        return Targets(index, chosen.astype(np.float32))

    def _worth(
        self, candidates: Candidates, place: np.ndarray, distance: np.ndarray
    ) -> Float[np.ndarray, "Q C"]:
        """Return each candidate's gain beside the highest in the episode, and a little."""
        if candidates.gain is None:
            return np.ones(place.shape)
        gain = candidates.gain[place, distance_code(np.maximum(distance, 0))]
        return np.maximum(gain, 0) / max(float(candidates.gain.max()), LEAST) + self.tried


def _places(
    step: Int[np.ndarray, " C"], query: np.ndarray, width: int, rng: Rng
) -> tuple[Int[np.ndarray, "Q N"], np.ndarray]:
    """Draw candidates of each query at log-uniform distances; return them, and which exist.

    The j-th stands 2^(j-1) to 2^j - 1 candidates behind the next one, j = 0 is the next one. There
    are at least `width` of them, whatever the episode.
    """
    octaves = max(len(step).bit_length(), width - 1)
    low = np.concatenate([[0], 2 ** np.arange(octaves)])
    span = np.concatenate([[1], 2 ** np.arange(octaves)])
    ahead = low + np.floor(rng.random((len(query), len(low))) * span).astype(np.int64)
    place = np.searchsorted(step, query)[:, None] + ahead
    return np.minimum(place, len(step) - 1), place < len(step)
