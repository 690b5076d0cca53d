"""A tiny environment of any action space: what is paid is how near an action is to a target."""

import equinox as eqx
import jax.numpy as jnp

from memup.core.spaces import Box, Space
from memup.envs.base import AbstractEnv, begin, follow
from memup.nn.distributions import distribution_of

STEPS = 8


class Near(AbstractEnv):
    """Episodes of 8 actions; each pays factor * (1 - mean |code - 0.75|).

    Attributes:
        space: of the actions.
        factor: of what is paid.
    """

    space: Space = eqx.field(static=True)
    factor: float = eqx.field(static=True, default=1.0)

    @property
    def observation_space(self):
        """The time, as a share."""
        return Box((1,), low=0.0, high=1.0)

    @property
    def action_space(self):
        """As given."""
        return self.space

    def reset(self, *, key):
        """Begin."""
        return jnp.int32(0), begin(jnp.zeros(1))

    def step(self, state, action, *, key):
        """Pay."""
        code = distribution_of(self.space).encode(action)
        paid = self.factor * (1 - jnp.mean(jnp.abs(code - 0.75)))
        time = state + 1
        over = time >= STEPS
        return time, follow(jnp.full(1, time / STEPS, jnp.float32), paid, over, over)
