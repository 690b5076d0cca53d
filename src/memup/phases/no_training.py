"""The policy phase of an agent that need not learn: it is made, and that is all."""

from collections.abc import Callable

from jaxtyping import PyTree

from memup.agents.base import AbstractAgent
from memup.core.types import Metrics
from memup.phases.base import AbstractPhase, Workspace


class NoTraining(AbstractPhase):
    """Makes an agent of what earlier phases left.

    Args:
        make: workspace -> agent; called when it is there.
    """

    name = "policy"

    def __init__(self, make: Callable[[Workspace], AbstractAgent]):
        self.make = make

    def prepare(self, workspace: Workspace) -> None:
        """Make the agent."""
        self.agent = self.make(workspace)

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        return self.agent.init(key=workspace.key(f"{self.name}/weights"))

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Nothing to do."""
        return state, {"progress": 1.0}, True

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """The agent's state."""
        return {"agent": state}
