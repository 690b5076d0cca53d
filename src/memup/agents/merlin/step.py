"""One step of MERLIN (arXiv 1803.10760): the predictor reads it, then the policy."""

from typing import NamedTuple

from jaxtyping import Array, Float

from memup.agents.merlin.decoder import Decoder, Returns
from memup.agents.merlin.policy import PolicyState, ReadingPolicy
from memup.agents.merlin.predictor import Predictor, PredictorState
from memup.core.types import Action, StepInput
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
    action: Action


class MerlinOutput(NamedTuple):
    """What a step led to: code, prior and posterior, and the policy's parameters [P]."""

    z: Float[Array, " Z"]
    prior: Gaussian
    posterior: Gaussian
    policy: Float[Array, " P"]


def merlin_step(
    model: WorldModel,
    policy: ReadingPolicy,
    mind: MerlinCarry,
    x: StepInput,
    noise: Float[Array, " Z"],
) -> tuple[MerlinCarry, MerlinOutput]:
    """Let one actor read a step: the predictor, then the policy on what it made of it."""
    predictor, belief = model.predictor.step(mind.predictor, x, noise)
    acting, params = policy.step(mind.policy, belief.z, belief.rows, x.first)
    thought = MerlinOutput(belief.z, belief.prior, belief.posterior, params)
    return MerlinCarry(predictor, acting, mind.action), thought
