"""What an agent is: it acts on time steps and learns from trajectories."""

import abc
from collections.abc import Mapping
from typing import Any

from jaxtyping import Array, Float, PyTree

from memup.core.types import Action, Key, Metrics, TimeStep, Trajectory


class AbstractAgent(abc.ABC):
    """Pure functions over states of arrays; batches of B environments.

    The memory an agent acts on is an argument of `init`. With `train_memory` it learns by
    back-propagation through the agent's own window, as every recurrent baseline does; without,
    it is frozen, as in MemUP's second phase.

    Attributes:
        exploring: share of the actors, the first ones, whose episodes do not tell how good the
            policy is, since they explore beyond it.
    """

    exploring: float = 0.0

    @abc.abstractmethod
    def init(self, *, key: Key) -> PyTree:
        """Return the learner's state: arrays only."""

    @abc.abstractmethod
    def begin(self, state: PyTree, batch: int) -> PyTree:
        """Return what B actors carry before their first step."""

    @abc.abstractmethod
    def act(
        self, state: PyTree, carry: PyTree, step: TimeStep, *, key: Key, greedy: bool = False
    ) -> tuple[PyTree, Action, Any]:
        """Choose actions.

        Args:
            state: the learner's state.
            carry: what the actors carry; it forgets by itself where `step.first`.
            step: leaves [B, ...].
            key: for sampling.
            greedy: take the likeliest action.

        Returns:
            The new carry, actions as the action space says, leaves [B, ...], and what `learn`
            wants to find beside each step.
        """

    @abc.abstractmethod
    def networks(self, state: PyTree) -> dict[str, Any]:
        """Return the modules that acting needs, by name: what a model file holds of an agent.

        The memory that the agent reads is called "memory", a whole model of MemUP "model".
        """

    @abc.abstractmethod
    def acting(self, networks: Mapping[str, Any]) -> PyTree:
        """Return a state that acts with these modules; it cannot learn."""

    def values(self, state: PyTree, trajectory: Trajectory) -> Float[Array, "T B"] | None:
        """Return what the agent expected from each step on, if it is one that expects anything."""
        return None

    @abc.abstractmethod
    def learn(self, state: PyTree, trajectory: Trajectory, *, key: Key) -> tuple[PyTree, Metrics]:
        """Learn from a trajectory of this agent."""
