"""The uniform random agent: what fills the store in the first phase."""

from collections.abc import Mapping
from typing import Any

import jax
from jaxtyping import PyTree

from memup.agents.base import AbstractAgent
from memup.agents.choices import uniform
from memup.core.spaces import Space
from memup.core.types import Action, Key, Metrics, TimeStep, Trajectory


class RandomAgent(AbstractAgent):
    """Draws actions evenly from a space and learns nothing.

    Args:
        action_space: of any leaves; a Box must have bounds.

    Raises:
        MemupError: a Box has none.
    """

    def __init__(self, action_space: Space):
        self.action_space = action_space
        jax.eval_shape(lambda key: uniform(action_space, (), key=key), jax.random.key(0))

    def init(self, *, key: Key) -> PyTree:
        """Nothing to learn."""
        return ()

    def begin(self, state: PyTree, batch: int) -> PyTree:
        """Nothing to carry."""
        return ()

    def act(
        self, state: PyTree, carry: PyTree, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[PyTree, Action, Any]:
        """Draw actions."""
        return (), uniform(self.action_space, step.first.shape, key=key), ()

    def networks(self, state: PyTree) -> dict[str, Any]:
        """None."""
        return {}

    def acting(self, networks: Mapping[str, Any]) -> PyTree:
        """See AbstractAgent."""
        return ()

    def learn(self, state: PyTree, trajectory: Trajectory, *, key: Key) -> tuple[PyTree, Metrics]:
        """Learn nothing."""
        return state, {}
