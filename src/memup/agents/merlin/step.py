"""One step of MERLIN (arXiv 1803.10760): the predictor reads it, then the policy."""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int

from memup.agents.merlin.decoder import Decoder, Returns
from memup.agents.merlin.policy import PolicyState, ReadingPolicy
from memup.agents.merlin.predictor import Predictor, PredictorState
from memup.core.types import StepInput
from memup.ops.gaussian import Gaussian


class WorldModel(NamedTuple):
    """What the predictor's gradient reaches."""

    predictor: Predictor
    decoder: Decoder
    returns: Returns


class MerlinCarry(NamedTuple):
    """What an actor carries: both states, and the action that it took."""

    predictor: PredictorState
    policy: PolicyState
    action: Int[Array, ""]


class MerlinOutput(NamedTuple):
    """What a step led to: code, prior and posterior, and log-probabilities of the actions."""

    z: Float[Array, " Z"]
    prior: Gaussian
    posterior: Gaussian
    log_pi: Float[Array, " A"]


def merlin_step(
    model: WorldModel,
    policy: ReadingPolicy,
    mind: MerlinCarry,
    x: StepInput,
    noise: Float[Array, " Z"],
) -> tuple[MerlinCarry, MerlinOutput]:
    """Let one actor read a step: the predictor, then the policy on what it made of it."""
    predictor, belief = model.predictor.step(mind.predictor, x, noise)
    acting, logits = policy.step(mind.policy, belief.z, belief.rows, x.first)
    log_pi = jax.nn.log_softmax(logits)
    thought = MerlinOutput(belief.z, belief.prior, belief.posterior, log_pi)
    return MerlinCarry(predictor, acting, mind.action), thought
