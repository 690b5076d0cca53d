"""What a code of MERLIN must say: the step that it stands for, and the return that follows."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.agents.networks import Perceptron
from memup.core.spaces import Space
from memup.core.types import Action, Key, StepInput
from memup.nn.distributions import AbstractDistribution, distribution_of


class ReconstructionLoss(NamedTuple):
    """How badly a code says its step, in nats.

    Attributes:
        obs: of the observation, summed over its numbers.
        action: of the action before it; 0 where an episode begins.
        reward: of the reward, as a normal number of variance 1.
    """

    obs: Float[Array, ""]
    action: Float[Array, ""]
    reward: Float[Array, ""]


class Decoder(eqx.Module):
    """Says the step from its code: one distribution over observations, and one over actions.

    Args:
        space: observation space.
        action_space: of any leaves.
        latent: Z.
        hidden: units of the hidden layer.
        key: for the initial weights.
    """

    network: Perceptron
    family: AbstractDistribution = eqx.field(static=True)
    actions: AbstractDistribution = eqx.field(static=True)

    def __init__(self, space: Space, action_space: Space, latent: int, hidden: int, *, key: Key):
        self.family = distribution_of(space, squash=False)
        self.actions = distribution_of(action_space, squash=False)
        size = self.family.param_size + self.actions.param_size + 1
        self.network = Perceptron(latent, size, (hidden,), 1.0, key=key)

    def __call__(self, z: Float[Array, " Z"], x: StepInput) -> ReconstructionLoss:
        """Return how badly `z` says `x`."""
        said, size = self.network(z), self.family.param_size
        obs = -self.family.log_prob(said[:size], x.obs)
        action = -self.actions.log_prob(said[size:-1], x.action)
        reward = 0.5 * (said[-1] - x.reward) ** 2
        return ReconstructionLoss(obs, jnp.where(x.first, 0.0, action), reward)


class Returns(eqx.Module):
    """The return that a code foretells: V(z, pi) of the policy, and A(z, a) of an action.

    Args:
        latent: Z.
        action_space: of any leaves.
        hidden: units of the hidden layers.
        key: for the initial weights.
    """

    value: Perceptron
    advantage: Perceptron
    actions: AbstractDistribution = eqx.field(static=True)

    def __init__(self, latent: int, action_space: Space, hidden: int, *, key: Key):
        keys = jax.random.split(key)
        self.actions = distribution_of(action_space)
        sizes = self.actions.param_size, self.actions.encoded_size
        self.value = Perceptron(latent + sizes[0], 1, (hidden,), 0.1, key=keys[0])
        self.advantage = Perceptron(latent + sizes[1], 1, (hidden,), 0.1, key=keys[1])

    def of_policy(self, z: Float[Array, " Z"], policy: Float[Array, " P"]) -> Float[Array, ""]:
        """Return V, given the policy's parameters; no gradient reaches the policy."""
        return self.value(jnp.concatenate([z, jax.lax.stop_gradient(policy)]))[0]

    def loss(self, z: Float[Array, " Z"], v: Array, action: Action, ret: Array) -> Array:
        """Return ((R - V)^2 + (R - V - A)^2) / 2; in the second, V is a constant."""
        a = self.advantage(jnp.concatenate([z, self.actions.encode(action)]))[0]
        return 0.5 * (ret - v) ** 2 + 0.5 * (ret - jax.lax.stop_gradient(v) - a) ** 2
