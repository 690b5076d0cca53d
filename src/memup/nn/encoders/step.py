"""What a memory reads at a step, and the local question about one."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.spaces import Box, Space
from memup.core.types import Key, Query, StepInput
from memup.nn.encoders.leaf import Facts, SpaceEncoder
from memup.nn.encoders.vector import VectorEncoder
from memup.nn.linear import apply, rectified

REWARD = Box(())


class InputEncoder(eqx.Module):
    """What a memory reads: relu(Linear([observation, previous action, reward])).

    Attributes:
        observation: encodes what is seen.
        action: encodes what was done; of nothing where there are no actions and no rewards.
        reward: scales rewards.
        layer: of all codes.
        output_size: E.
        dropout: of what it gives, where it is called with a key (Zaremba et al. 2014).
    """

    observation: SpaceEncoder
    action: SpaceEncoder
    reward: VectorEncoder | None
    layer: eqx.nn.Linear
    output_size: int = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(
        self,
        observation_space: Space,
        action_space: Space | None,
        size: int,
        *,
        key: Key,
        facts: Facts | None = None,
        dropout: float = 0.0,
    ):
        """Make it.

        Args:
            observation_space: what is seen.
            action_space: what is done; None for a sequence without actions and rewards.
            size: E.
            key: for the initial weights.
            facts: constants of vectors, by the names of leaves and "reward".
            dropout: see above.
        """
        keys = jax.random.split(key, 3)
        self.observation = SpaceEncoder(observation_space, "obs", facts, key=keys[0])
        self.action = SpaceEncoder(action_space, "action", facts, key=keys[1])
        acting = action_space is not None
        self.reward = VectorEncoder(REWARD, (facts or {}).get("reward")) if acting else None
        width = self.observation.output_size + self.action.output_size + acting
        self.layer = rectified(width, size, key=keys[2])
        self.output_size, self.dropout = size, dropout

    @property
    def action_size(self) -> int:
        """Number of floats of `previous_action`."""
        return self.action.output_size

    def previous_action(self, x: StepInput) -> Float[Array, " A"]:
        """Encode the action before a step; zeros where an episode begins or there are none."""
        return jnp.where(x.first, 0.0, self.action(x.action))

    def __call__(self, x: StepInput, key: Key | None = None) -> Float[Array, " E"]:
        """Encode one step; with a key, some of the numbers are dropped."""
        parts = [self.observation(x.obs)]
        if self.reward is not None:
            parts += [self.previous_action(x), self.reward(x.reward)]
        coded = jax.nn.relu(apply(self.layer, jnp.concatenate(parts)))
        return eqx.nn.Dropout(self.dropout)(coded, key=key, inference=key is None)


class QueryEncoder(eqx.Module):
    """The local question (o_k, a_k): [relu(Linear([observations, action])), action].

    Attributes:
        observation: encodes what is seen.
        action: encodes what is done; of nothing where there are no actions.
        layer: of all codes.
        steps: that a question shows; with several, observations have a leading axis for them.
        output_size: C.
    """

    observation: SpaceEncoder
    action: SpaceEncoder
    layer: eqx.nn.Linear
    steps: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self,
        observation_space: Space,
        action_space: Space | None,
        size: int,
        steps: int = 1,
        *,
        key: Key,
        facts: Facts | None = None,
    ):
        """Make it; see InputEncoder."""
        keys = jax.random.split(key, 3)
        self.observation = SpaceEncoder(observation_space, "obs", facts, key=keys[0])
        self.action = SpaceEncoder(action_space, "action", facts, key=keys[1])
        actions = self.action.output_size
        width = steps * self.observation.output_size + actions
        self.layer = rectified(width, size, key=keys[2])
        self.steps, self.output_size = steps, size + actions

    def __call__(self, context: Query) -> Float[Array, " C"]:
        """Encode one question."""
        see = self.observation
        seen = see(context.obs) if self.steps == 1 else jnp.ravel(jax.vmap(see)(context.obs))
        action = self.action(context.action)
        # The action is read twice. Where each of several moments asks for a part of the memory of
        # its own, the predictor's product needs features of moment and action together.
        both = jax.nn.relu(apply(self.layer, jnp.concatenate([seen, action])))
        return jnp.concatenate([both, action])
