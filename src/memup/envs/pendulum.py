"""Swing a pendulum up with a weak motor: the cheap check of real-valued actions."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from memup.core.spaces import Box
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow

GRAVITY, MASS, LENGTH = 10.0, 1.0, 1.0
STEP_SECONDS = 0.05
MAX_SPEED, MAX_TORQUE = 8.0, 2.0
TIME_LIMIT = 200


class PendulumState(NamedTuple):
    """Where the pendulum is.

    Attributes:
        time: actions so far, int32.
        angle: from upright, rad; it is not wrapped.
        speed: of the angle, rad/s.
    """

    time: Int[Array, ""]
    angle: Float[Array, ""]
    speed: Float[Array, ""]


class Pendulum(AbstractEnv):
    """Swing-up with the dynamics of Gymnasium's Pendulum-v1, from its documentation.

    Observation float32 [cos(angle), sin(angle), speed], the angle 0 upright. The action is a torque
    in [-2, 2] N m, that acts for 0.05 s: speed += (3 g / (2 l) sin(angle) + 3 / (m l^2) torque) dt,
    kept within +-8 rad/s, then angle += speed dt, with g = 10, m = l = 1. Each action pays
    -(angle^2 + 0.1 speed^2 + 0.001 torque^2), of the step it is taken in, the angle within +-pi. An
    episode begins at a uniform angle with a speed uniform in +-1, and is cut after 200 actions.
    A random policy returns about -1,200, a good one about -150. There is no success.
    """

    @property
    def observation_space(self) -> Box:
        """[cos(angle), sin(angle), speed]."""
        return Box((3,), low=(-1.0, -1.0, -MAX_SPEED), high=(1.0, 1.0, MAX_SPEED))

    @property
    def action_space(self) -> Box:
        """[torque]."""
        return Box((1,), low=-MAX_TORQUE, high=MAX_TORQUE)

    def reset(self, *, key: Key) -> tuple[PendulumState, TimeStep]:
        """Draw where it begins."""
        angle, speed = jax.random.uniform(key, (2,), minval=-1.0)
        state = PendulumState(jnp.int32(0), jnp.pi * angle, speed)
        return state, begin(_observe(state))._replace(success=jnp.float32(jnp.nan))

    def step(
        self, state: PendulumState, action: Action, *, key: Key
    ) -> tuple[PendulumState, TimeStep]:
        """Apply a torque for one step."""
        torque = jnp.clip(jnp.asarray(action, jnp.float32).reshape(()), -MAX_TORQUE, MAX_TORQUE)
        wrapped = (state.angle + jnp.pi) % (2 * jnp.pi) - jnp.pi
        cost = wrapped**2 + 0.1 * state.speed**2 + 0.001 * torque**2
        pull = 1.5 * GRAVITY / LENGTH * jnp.sin(state.angle) + 3 / (MASS * LENGTH**2) * torque
        speed = jnp.clip(state.speed + pull * STEP_SECONDS, -MAX_SPEED, MAX_SPEED)
        after = PendulumState(state.time + 1, state.angle + speed * STEP_SECONDS, speed)
        cut, never = after.time >= TIME_LIMIT, jnp.zeros((), bool)
        return after, follow(_observe(after), -cost, never, jnp.float32(jnp.nan), cut)


def _observe(state: PendulumState) -> Float[Array, "3"]:
    return jnp.stack([jnp.cos(state.angle), jnp.sin(state.angle), state.speed])
