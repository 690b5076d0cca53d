"""Fill the store with random play."""

from typing import Any

import numpy as np
from jaxtyping import PyTree

from memup.acting.episodes import Player, play_round
from memup.acting.recorder import EpisodeRecorder
from memup.agents.random import RandomAgent
from memup.core.types import Metrics
from memup.phases.base import AbstractPhase, Workspace


class Collect(AbstractPhase):
    """Collects complete episodes of the uniform random policy, a round an advance.

    Args:
        episodes: how many.
        environments: copies played at once.
        valued: store values beside the steps, as later episodes will; nobody has any yet: 0.
    """

    name = "collect"

    def __init__(self, episodes: int, environments: int, valued: bool = False):
        self.episodes = episodes
        self.environments = min(episodes, environments)
        self.valued = valued
        self._player: Player | None = None

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        return {"round": np.zeros((), np.int64)}

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Play one round and add it."""
        if self._player is None:
            agent = RandomAgent(workspace.action_space)
            self._player = Player(agent, workspace.env, self.environments)
        key = workspace.key(self.name, int(state["round"]))
        batch = self._player.batch
        recorder = EpisodeRecorder(
            workspace.observation_space,
            workspace.action_space,
            batch,
            workspace.store,
            self.valued,
        )
        play_round(self._player, (), key, recorder)
        recorder.add_to_store()
        metrics: dict[str, Any] = {
            "episodes": len(workspace.store),
            "env_steps": workspace.store.steps,
            "return": float(recorder.total.mean()),
            "length": float(recorder.lengths.mean()) - 1,
            "progress": len(workspace.store) / self.episodes,
        }
        return {"round": state["round"] + 1}, metrics, len(workspace.store) >= self.episodes
