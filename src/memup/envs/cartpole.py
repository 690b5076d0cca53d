"""Cart and pole: the cheap check that an agent is not broken; without velocities, of its memory."""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow

GRAVITY = 9.8
MASS_CART, MASS_POLE = 1.0, 0.1
HALF_POLE = 0.5
FORCE = 10.0
STEP_SECONDS = 0.02
MAX_POSITION = 2.4
MAX_ANGLE = 12 * jnp.pi / 180
TIME_LIMIT = 500
START = 0.05


class CartPoleState(NamedTuple):
    """Where cart and pole are.

    Attributes:
        time: actions so far, int32.
        body: position (m), its speed, angle from upright (rad), its speed; float32 [4].
    """

    time: Int[Array, ""]
    body: Float[Array, "4"]


class CartPole(AbstractEnv):
    """Balance a pole on a cart (Barto, Sutton and Anderson 1983), as Gymnasium's CartPole-v1.

    Observation float32 [position, speed, angle, angular speed], or only [position, angle] where
    speeds are hidden. Action 0 pushes the cart with 10 N to the left, 1 to the right, for 0.02 s.
    Every action pays 1. The episode ends when the cart is farther than 2.4 m from the middle or
    the pole more than 12 degrees from upright, and is cut after 500 actions, which is success. It
    begins with all four numbers uniform in +-0.05. A random policy returns about 22.

    Attributes:
        hidden: the speeds are not shown.
    """

    hidden: bool = eqx.field(static=True, default=False)

    @property
    def observation_space(self) -> Box:
        """Position, speed, angle, angular speed; position and angle if speeds are hidden."""
        return Box((2 if self.hidden else 4,))

    @property
    def action_space(self) -> Discrete:
        """0 left, 1 right."""
        return Discrete(2)

    def reset(self, *, key: Key) -> tuple[CartPoleState, TimeStep]:
        """Draw where it begins."""
        body = jax.random.uniform(key, (4,), minval=-START, maxval=START)
        return CartPoleState(jnp.int32(0), body), begin(self._observe(body))

    def step(
        self, state: CartPoleState, action: Action, *, key: Key
    ) -> tuple[CartPoleState, TimeStep]:
        """Push for one step."""
        force = jnp.where(jnp.asarray(action) > 0, FORCE, -FORCE)
        body, time = _move(state.body, force), state.time + 1
        fallen = (jnp.abs(body[0]) > MAX_POSITION) | (jnp.abs(body[2]) > MAX_ANGLE)
        cut = ~fallen & (time >= TIME_LIMIT)
        step = follow(self._observe(body), jnp.ones(()), fallen, cut, cut)
        return CartPoleState(time, body), step

    def _observe(self, body: Float[Array, "4"]) -> Float[Array, " O"]:
        return body[::2] if self.hidden else body


def _move(body: Float[Array, "4"], force: Float[Array, ""]) -> Float[Array, "4"]:
    """Follow the equations of motion, without friction, for one step of Euler's method."""
    _, speed, angle, turn = body
    mass, leverage = MASS_CART + MASS_POLE, MASS_POLE * HALF_POLE
    sin, cos = jnp.sin(angle), jnp.cos(angle)
    push = (force + leverage * turn**2 * sin) / mass
    inertia = HALF_POLE * (4 / 3 - MASS_POLE * cos**2 / mass)
    turn_rate = (GRAVITY * sin - cos * push) / inertia
    speed_rate = push - leverage * turn_rate * cos / mass
    return body + STEP_SECONDS * jnp.stack([speed, speed_rate, turn, turn_rate])
