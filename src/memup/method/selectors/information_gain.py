"""The selector `information-gain`: targets that memory has been found to explain.

Others are tried now and then.

A random payment is as uncertain as a choice that a hint decides, and stays so for ever: by
uncertainty alone it takes the slots of U_t. What memory can explain shows once some memory exists,
as the gap between the uncertainty without memory and the loss with it,

    gain_k = H(y_k | x_k) - E[-log q(y_k | m_t, x_k)],

whose second term is learned from the losses of updates, as a function of x_k alone. Of the steps
whose uncertainty is high, K are sampled without replacement with probability proportional to
exp(gain_k / 0.05 nats), or, for one query in four, with equal probability: a step must be tried
before it can gain_model.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from memup.core.types import Targets
from memup.method.selectors.selector import SHARE, AbstractSelector, Rng, Scores, Steps

MOST = 64
TEMPERATURE = 0.05
EXPLORED = 0.25


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
    """K candidates k >= t, sampled by what memory has earned there.

    Args:
        width: K.
        explored: share of the queries that try any candidate.
    """

    def __init__(self, width: int, explored: float = EXPLORED):
        self.width, self.explored = width, explored

    def proven(self) -> "InformationGain":
        """See AbstractSelector."""
        return InformationGain(self.width, 0.0)

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

    def select(self, score: Scores, query: Steps, rng: Rng, plan: Any = None) -> Targets:
        """See AbstractSelector."""
        step, potential, loss = plan or self.plan(score)
        logit = np.zeros((len(query), len(step)))
        if loss is not None:
            earning = rng.random(len(query)) >= self.explored
            logit[earning] = (potential - loss) / TEMPERATURE
        key = logit + rng.gumbel(size=logit.shape)
        key = np.where(step[None, :] >= query[:, None], key, -np.inf)
        key = np.pad(key, ((0, 0), (0, max(0, self.width - len(step)))), constant_values=-np.inf)
        best = np.argsort(-key, axis=1)[:, : self.width]
        chosen = np.take_along_axis(key, best, axis=1) > -np.inf
        index = np.where(chosen, np.append(step, 0)[np.minimum(best, len(step))], query[:, None])
        return Targets(index, chosen.astype(np.float32))


def candidates(plan: Any) -> Int[np.ndarray, " C"] | None:
    """Return the candidate steps of a plan, if it has any; a composite's is a list of plans."""
    parts = plan if isinstance(plan, list) else [plan]
    return next((part.step for part in parts if isinstance(part, Candidates)), None)


def informed(plan: Any, loss: Float[np.ndarray, " C"]) -> Any:
    """Return the plan with the expected losses of its candidates."""
    if isinstance(plan, list):
        return [informed(part, loss) for part in plan]
    return plan._replace(loss=loss) if isinstance(plan, Candidates) else plan
