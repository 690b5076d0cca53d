"""One step of MERLIN (arXiv 1803.10760): the predictor reads it, then the policy."""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int

from memup.agents.merlin_decoder import Decoder, Returns
from memup.agents.merlin_policy import PolicyState, ReadingPolicy
from memup.agents.merlin_predictor import Predictor, PredictorState
from memup.ops.gaussian import Gaussian
from memup.types import StepInput


class Foreseeing(NamedTuple):
    """What the predictor's gradient reaches."""

    predictor: Predictor
    decoder: Decoder
    returns: Returns


class Mind(NamedTuple):
    """What an actor carries: both states, and the action that it took."""

    predictor: PredictorState
    policy: PolicyState
    action: Int[Array, ""]


class Thought(NamedTuple):
    """What a step led to: code, prior and posterior, and log-probabilities of the actions."""

    z: Float[Array, " Z"]
    prior: Gaussian
    posterior: Gaussian
    log_pi: Float[Array, " A"]


def think(
    model: Foreseeing, policy: ReadingPolicy, mind: Mind, x: StepInput, noise: Float[Array, " Z"]
) -> tuple[Mind, Thought]:
    """Let one actor read a step: the predictor, then the policy on what it made of it."""
    predictor, belief = model.predictor.step(mind.predictor, x, noise)
    acting, logits = policy.step(mind.policy, belief.z, belief.rows, x.first)
    log_pi = jax.nn.log_softmax(logits)
    thought = Thought(belief.z, belief.prior, belief.posterior, log_pi)
    return Mind(predictor, acting, mind.action), thought
