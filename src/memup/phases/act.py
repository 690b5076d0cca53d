"""The policy phase of an agent that need not learn: it is made, and that is all."""

from collections.abc import Callable

from jaxtyping import PyTree

from memup.agents.base import AbstractAgent
from memup.phases.base import AbstractPhase, World
from memup.types import Metrics


class Act(AbstractPhase):
    """Makes an agent of what earlier phases left.

    Args:
        make: world -> agent; called when it is there.
    """

    name = "policy"

    def __init__(self, make: Callable[[World], AbstractAgent]):
        self.make = make

    def prepare(self, world: World) -> None:
        """Make the agent."""
        self.agent = self.make(world)

    def start(self, world: World) -> PyTree:
        """See AbstractPhase."""
        return self.agent.init(key=world.key(self.name))

    def advance(self, world: World, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Nothing to do."""
        return state, {"progress": 1.0}, True

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """The agent's state."""
        return {"agent": state}
