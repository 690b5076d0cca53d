"""What acts on a memory: its state, and the previous action that it reads with the next step."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.spaces import Space, zeros
from memup.core.types import Action, State, StepInput, TimeStep
from memup.memories.encoded import EncodedMemory, initial_carry


class Actor(NamedTuple):
    """What actors carry, leaves [B, ...]: memory states and their previous actions."""

    memory: State
    action: Action


def begin_actors(memory: EncodedMemory, action_space: Space | None, batch: int) -> Actor:
    """Return what B actors carry before their first step; without a space, no actions."""
    action = jax.tree.map(jnp.asarray, zeros(action_space, (batch,)))
    return Actor(initial_carry(memory, batch), action)


def read(memory: EncodedMemory, carry: Actor, step: TimeStep) -> tuple[State, Float[Array, "B D"]]:
    """Let each actor's memory read a step; return the states and the memory's outputs."""
    x = StepInput(step.obs, carry.action, step.reward, step.first)
    return jax.vmap(memory.step)(carry.memory, x)
