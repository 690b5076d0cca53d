"""The policy of MERLIN: its own recurrent part, and one key on the predictor's memory."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.agents.networks import Perceptron
from memup.agents.reader import Reader
from memup.core.types import Key, State
from memup.memories.base import AbstractMemory, reset_where


class PolicyState(NamedTuple):
    """What the policy carries: the state of its recurrent part and what it read, [2Z]."""

    hidden: State
    read: Float[Array, " W"]


class ReadingPolicy(eqx.Module):
    """pi(a | z, h, m): h = recurrent([z, m of the step before]), m = read by a key from h.

    Args:
        recurrent: a memory that reads [z, m], Z + 2Z floats.
        latent: Z.
        params: P, numbers that the distribution of the actions needs.
        hidden: units of the hidden layer.
        key: for the initial weights.
    """

    recurrent: AbstractMemory
    reader: Reader
    actor: Perceptron
    width: int = eqx.field(static=True)

    def __init__(
        self, recurrent: AbstractMemory, latent: int, params: int, hidden: int, *, key: Key
    ):
        keys = jax.random.split(key)
        self.recurrent, self.width = recurrent, 2 * latent
        size = recurrent.output_size
        self.reader = Reader(size, self.width, 1, key=keys[0])
        self.actor = Perceptron(latent + size + self.width, params, (hidden,), 0.01, key=keys[1])

    def initial_state(self) -> PolicyState:
        """Return the state before an episode."""
        return PolicyState(self.recurrent.initial_state(), jnp.zeros(self.width))

    def step(
        self,
        state: PolicyState,
        z: Float[Array, " Z"],
        rows: Float[Array, "N W"],
        first: Bool[Array, ""],
    ) -> tuple[PolicyState, Float[Array, " P"]]:
        """Return the parameters of the policy; no gradient reaches the code or the memory.

        Args:
            state: the state; where `first`, the initial one is taken.
            z: the step's code.
            rows: the memory before the code was written.
            first: True where an episode begins.
        """
        z, rows = jax.lax.stop_gradient((z, rows))
        state = reset_where(first, self.initial_state(), state)
        hidden, h = self.recurrent.step(state.hidden, jnp.concatenate([z, state.read]))
        read, _ = self.reader(h, rows)
        return PolicyState(hidden, read), self.actor(jnp.concatenate([z, h, read]))
