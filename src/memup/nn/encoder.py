"""Turn observations, actions and rewards into float vectors."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.spaces import (
    Box,
    Dict,
    Discrete,
    MultiDiscrete,
    Space,
    Tuple,
    flatten,
    split,
)
from memup.core.types import Key, Observation, Query, StepInput
from memup.nn.linear import apply, rectified


def encode(space: Space, obs: Observation) -> Float[Array, " S"]:
    """Flatten one observation into floats.

    Args:
        space: what the observation is.
        obs: one observation, without batch or time.

    Returns:
        Boxes as they are (8-bit images divided by 255), integers one-hot, dictionaries in the
        order of their names; `space.size` floats.
    """
    if isinstance(space, Dict | Tuple):
        leaves = split(space, obs)
        parts = [encode(leaf, leaves[name]) for name, leaf in flatten(space).items()]
        return jnp.concatenate([jnp.zeros(0), *parts])
    if isinstance(space, Discrete):
        return jax.nn.one_hot(obs, space.n)
    if isinstance(space, MultiDiscrete):
        codes = [jax.nn.one_hot(obs[i], n) for i, n in enumerate(space.nvec)]
        return jnp.concatenate([jnp.zeros(0), *codes])
    if isinstance(space, Box) and space.dtype == "uint8":
        return jnp.ravel(obs).astype(jnp.float32) / 255
    return jnp.ravel(obs).astype(jnp.float32)


class Normaliser(eqx.Module):
    """Shift and scale vectors by constants that were measured on data; never trained.

    Attributes:
        shift: subtracted, [S].
        scale: divided by, [S], at least 1: rare small signals are left as they are.
    """

    shift: Float[Array, " S"]
    scale: Float[Array, " S"]

    @classmethod
    def identity(cls, size: int) -> "Normaliser":
        """Change nothing."""
        return cls(jnp.zeros(size), jnp.ones(size))

    @classmethod
    def of_data(cls, data: Float[Array, "N S"]) -> "Normaliser":
        """Bring features whose spread is above 1 to spread 1 around 0."""
        spread = jnp.std(data, axis=0)
        large = spread > 1
        return cls(jnp.where(large, jnp.mean(data, axis=0), 0.0), jnp.where(large, spread, 1.0))

    def __call__(self, x: Float[Array, " S"]) -> Float[Array, " S"]:
        """Apply; no gradient reaches the constants."""
        return (x - jax.lax.stop_gradient(self.shift)) / jax.lax.stop_gradient(self.scale)


class InputEncoder(eqx.Module):
    """What a memory reads: relu(Linear([observation, previous action, reward])).

    Attributes:
        observation_space: what is seen.
        action_space: what is done; None for a sequence without actions and rewards.
        output_size: E.
        dropout: of what it gives, where it is called with a key (Zaremba et al. 2014).
    """

    observation_space: Space = eqx.field(static=True)
    action_space: Space | None = eqx.field(static=True)
    output_size: int = eqx.field(static=True)
    dropout: float = eqx.field(static=True)
    normalise: Normaliser
    layer: eqx.nn.Linear

    def __init__(
        self,
        observation_space: Space,
        action_space: Space | None,
        size: int,
        *,
        key: Key,
        normalise: Normaliser | None = None,
        dropout: float = 0.0,
    ):
        self.observation_space, self.action_space = observation_space, action_space
        self.output_size, width = size, observation_space.size
        self.normalise = Normaliser.identity(width) if normalise is None else normalise
        width += 0 if action_space is None else action_space.size + 1
        self.dropout = dropout
        self.layer = rectified(width, size, key=key)

    @property
    def action_size(self) -> int:
        """Number of floats of `previous_action`."""
        return 0 if self.action_space is None else self.action_space.size

    def previous_action(self, x: StepInput) -> Float[Array, " A"]:
        """Encode the action before a step; zeros where an episode begins or there are none."""
        if self.action_space is None:
            return jnp.zeros(0)
        return jnp.where(x.first, 0.0, encode(self.action_space, x.action))

    def __call__(self, x: StepInput, key: Key | None = None) -> Float[Array, " E"]:
        """Encode one step; with a key, some of the numbers are dropped."""
        parts = [self.normalise(encode(self.observation_space, x.obs))]
        if self.action_space is not None:
            parts += [self.previous_action(x), jnp.asarray(x.reward, jnp.float32)[None]]
        coded = jax.nn.relu(apply(self.layer, jnp.concatenate(parts)))
        return eqx.nn.Dropout(self.dropout)(coded, key=key, inference=key is None)


class QueryEncoder(eqx.Module):
    """The local question (o_k, a_k): [relu(Linear([observations, action])), action].

    Attributes:
        observation_space: what is seen.
        action_space: what is done; None if there are no actions.
        steps: that a question shows; with several, observations have a leading axis for them.
        output_size: C.
    """

    observation_space: Space = eqx.field(static=True)
    action_space: Space | None = eqx.field(static=True)
    steps: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)
    normalise: Normaliser
    layer: eqx.nn.Linear

    def __init__(
        self,
        observation_space: Space,
        action_space: Space | None,
        size: int,
        steps: int = 1,
        *,
        key: Key,
        normalise: Normaliser | None = None,
    ):
        self.observation_space, self.action_space = observation_space, action_space
        actions = 0 if action_space is None else action_space.size
        self.steps, self.output_size, width = steps, size + actions, observation_space.size
        self.normalise = Normaliser.identity(width) if normalise is None else normalise
        self.layer = rectified(steps * width + actions, size, key=key)

    def __call__(self, context: Query) -> Float[Array, " C"]:
        """Encode one question."""
        one = lambda obs: self.normalise(encode(self.observation_space, obs))  # noqa: E731
        numbers = one(context.obs) if self.steps == 1 else jnp.ravel(jax.vmap(one)(context.obs))
        if self.action_space is None:
            return jax.nn.relu(apply(self.layer, numbers))
        action = encode(self.action_space, context.action)
        # The action is read twice. Where each of several moments asks for a part of the memory of
        # its own, the predictor's product needs features of moment and action together.
        both = jax.nn.relu(apply(self.layer, jnp.concatenate([numbers, action])))
        return jnp.concatenate([both, action])
