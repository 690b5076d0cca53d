"""Active T-Maze: the hint must be fetched before it can be remembered."""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Bool, Int, Int8

from memup.core.errors import require
from memup.core.spaces import Box, Discrete
from memup.core.types import Key, TimeStep
from memup.envs.base import AbstractEnv, Action, begin, follow
from memup.envs.bits import draw, take_sign

RIGHT, UP, LEFT, DOWN = range(4)


class ActiveState(NamedTuple):
    """Where the agent is.

    Attributes:
        time: t, int32.
        x: column, int32: 0 the oracle, 1 the start, length + 1 the junction.
        y: row, int8: 0 the corridor, +1 the upper goal cell, -1 the lower one.
        goal: row of the right goal cell, int8.
        seen: True once the oracle has been visited.
        shown: True if the oracle shows the goal now.
    """

    time: Int[Array, ""]
    x: Int[Array, ""]
    y: Int8[Array, ""]
    goal: Int8[Array, ""]
    seen: Bool[Array, ""]
    shown: Bool[Array, ""]


class ActiveTMaze(AbstractEnv):
    """The active T-Maze of Ni et al. 2023 (arXiv 2307.03864).

    The agent starts one cell to the right of the oracle, L cells to the left of the junction;
    above and below the junction lie the goal cells, one of them right by a fair coin. Actions: 0
    right, 1 up, 2 left, 3 down; a move into a wall leaves the agent where it is. Observation int8
    [end, sign]: at the oracle, at the first visit only, [0, +1 (up) or -1 (down)]; at the
    junction [1, 0]; in a goal cell [1, its row]; elsewhere [0, 0].

    Reward: -1/L at a step t (t >= 1, not the last) where x_t < t - 1, that is where the agent lags
    behind one that fetches the hint and walks straight on; at the last step 1 in the right goal
    cell, else 0. So the best return is 1, after L + 3 actions, and skipping the oracle gives 0.5
    on average. Entering a goal cell ends the episode (terminated); the time limit cuts it
    (truncated). Success is the right goal cell.

    The authors' code is the same with one difference: there an episode always lasts L + 3 steps
    and the cell at that time counts, so a goal cell can be left again.

    Attributes:
        length: L, at least 1.
        slack: actions beyond the L + 3 of the best path before the time limit; 0 in the paper.
    """

    length: int = eqx.field(static=True)
    slack: int = eqx.field(static=True, default=0)

    def __check_init__(self) -> None:
        """Refuse what makes no maze."""
        require(self.length >= 1, f"length={self.length}: expected at least 1")
        require(self.slack >= 0, f"slack={self.slack}: expected at least 0")

    @property
    def time_limit(self) -> int:
        """Actions after which the episode is cut."""
        return self.length + 3 + self.slack

    @property
    def observation_space(self) -> Box:
        """[end, sign]."""
        return Box((2,), "int8", -1.0, 1.0)

    @property
    def action_space(self) -> Discrete:
        """0 right, 1 up, 2 left, 3 down."""
        return Discrete(4)

    def reset(self, *, key: Key) -> tuple[ActiveState, TimeStep]:
        """Draw the goal."""
        goal, _ = take_sign(draw(key))
        no = jnp.zeros((), bool)
        state = ActiveState(jnp.int32(0), jnp.int32(1), jnp.int8(0), goal, seen=no, shown=no)
        return state, begin(self._observe(state))

    def step(self, state: ActiveState, action: Action, *, key: Key) -> tuple[ActiveState, TimeStep]:
        """Move, and pay for where the agent now stands."""
        after = self._move(state, action)
        terminated = after.y != 0
        truncated = ~terminated & (after.time >= self.time_limit)
        hit = after.y == after.goal
        late = jnp.where(after.x < after.time - 1, -1.0 / self.length, 0.0)
        reward = jnp.where(terminated | truncated, hit.astype(jnp.float32), late)
        return after, follow(self._observe(after), reward, terminated, hit, truncated)

    def _move(self, state: ActiveState, action: Action) -> ActiveState:
        action, end = jnp.asarray(action), self.length + 1
        along = (action == RIGHT).astype(jnp.int32) - (action == LEFT).astype(jnp.int32)
        across = (action == UP).astype(jnp.int8) - (action == DOWN).astype(jnp.int8)
        x = jnp.clip(state.x + along, 0, end)
        shown = (x == 0) & ~state.seen
        y = jnp.where(state.x == end, across, jnp.int8(0))
        return ActiveState(state.time + 1, x, y, state.goal, seen=state.seen | shown, shown=shown)

    def _observe(self, state: ActiveState) -> Int8[Array, "2"]:
        at_end = state.x == self.length + 1
        return jnp.stack(
            [at_end.astype(jnp.int8), jnp.where(state.shown, state.goal, state.y)],
        )
