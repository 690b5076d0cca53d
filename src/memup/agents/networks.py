"""Perceptrons for policies and values."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.types import Key
from memup.nn.linear import apply


class Perceptron(eqx.Module):
    """Hidden layers with orthogonal weights (gain sqrt 2) and an output of a given gain.

    It takes any leading axes: one product over all of them, where a map over vectors would have
    XLA transpose what lies between two layers.
    """

    layers: tuple[eqx.nn.Linear, ...]
    activation: Callable = eqx.field(static=True)

    def __init__(
        self,
        inputs: int,
        outputs: int,
        hidden: tuple[int, ...],
        gain: float,
        *,
        key: Key,
        activation: Callable = jax.nn.tanh,
    ):
        sizes = (inputs, *hidden, outputs)
        gains = [2**0.5] * len(hidden) + [gain]
        keys = jax.random.split(key, len(gains))
        self.activation = activation
        self.layers = tuple(
            _orthogonal(a, b, g, k)
            for a, b, g, k in zip(sizes[:-1], sizes[1:], gains, keys, strict=True)
        )

    def __call__(self, x: Float[Array, "... I"]) -> Float[Array, "... O"]:
        """Apply to every vector."""
        for layer in self.layers[:-1]:
            x = self.activation(apply(layer, x))
        return apply(self.layers[-1], x)


def _orthogonal(inputs: int, outputs: int, gain: float, key: Key) -> eqx.nn.Linear:
    layer = eqx.nn.Linear(inputs, outputs, key=key)
    weight = jax.nn.initializers.orthogonal(gain)(key, (outputs, inputs))
    return eqx.tree_at(lambda m: (m.weight, m.bias), layer, (weight, jnp.zeros(outputs)))


class ActorCritic(eqx.Module):
    """Separate networks for the policy's P parameters and the value, on the memory's output [D]."""

    actor: Perceptron
    critic: Perceptron

    def __init__(self, inputs: int, params: int, hidden: tuple[int, ...], *, key: Key):
        keys = jax.random.split(key)
        self.actor = Perceptron(inputs, params, hidden, 0.01, key=keys[0])
        self.critic = Perceptron(inputs, 1, hidden, 1.0, key=keys[1])

    def __call__(
        self, m: Float[Array, "... D"]
    ) -> tuple[Float[Array, "... P"], Float[Array, "..."]]:
        """Return the policy's parameters and the value."""
        return self.actor(m), self.critic(m)[..., 0]

    def in_units(self, mean: Float[Array, ""], std: Float[Array, ""]) -> "ActorCritic":
        """Return the same with values mean + std * value."""
        last = lambda heads: (heads.critic.layers[-1].weight, heads.critic.layers[-1].bias)  # noqa: E731
        weight, bias = last(self)
        return eqx.tree_at(last, self, (std * weight, mean + std * bias))


class Dueling(eqx.Module):
    """Action values V + A - mean A on the memory's output [D] (Wang et al. 2016, eq. 9)."""

    value: Perceptron
    advantage: Perceptron

    def __init__(self, inputs: int, actions: int, hidden: tuple[int, ...], *, key: Key):
        keys = jax.random.split(key)
        self.value = Perceptron(inputs, 1, hidden, 1.0, key=keys[0])
        self.advantage = Perceptron(inputs, actions, hidden, 0.01, key=keys[1])

    def __call__(self, m: Float[Array, "... D"]) -> Float[Array, "... A"]:
        """Return the value of every action."""
        advantage = self.advantage(m)
        return self.value(m) + advantage - jnp.mean(advantage, -1, keepdims=True)
