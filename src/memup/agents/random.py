"""The uniform random agent: what fills the store in the first phase."""

from collections.abc import Mapping
from typing import Any

import jax
from jaxtyping import Array, Int, PyTree

from memup.agents.base import AbstractAgent
from memup.core.spaces import Space, require_discrete
from memup.core.types import Key, Metrics, TimeStep, Trajectory


class RandomAgent(AbstractAgent):
    """Takes each action with equal probability and learns nothing."""

    def __init__(self, action_space: Space):
        self.actions = require_discrete(action_space, "random play")

    def init(self, *, key: Key) -> PyTree:
        """Nothing to learn."""
        return ()

    def begin(self, state: PyTree, batch: int) -> PyTree:
        """Nothing to carry."""
        return ()

    def act(
        self, state: PyTree, carry: PyTree, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[PyTree, Int[Array, " B"], Any]:
        """Draw actions."""
        return (), jax.random.randint(key, step.first.shape, 0, self.actions), ()

    def networks(self, state: PyTree) -> dict[str, Any]:
        """None."""
        return {}

    def acting(self, networks: Mapping[str, Any]) -> PyTree:
        """See AbstractAgent."""
        return ()

    def learn(self, state: PyTree, trajectory: Trajectory, *, key: Key) -> tuple[PyTree, Metrics]:
        """Learn nothing."""
        return state, {}
