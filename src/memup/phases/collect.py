"""Fill the store with random play."""

from typing import Any

import numpy as np
from jaxtyping import PyTree

from memup.acting.make import vector_env
from memup.acting.recorder import EpisodeRecorder
from memup.acting.rounds import play_round
from memup.acting.vector import VectorEnv
from memup.agents.random import RandomAgent
from memup.core.spaces import leaf_bytes
from memup.core.types import Metrics
from memup.phases.base import AbstractPhase, Workspace

ROUND_STEPS = 1024
# What the episodes of one round take, about: of images fewer copies play.
ROUND_BYTES = 1 << 28


class Collect(AbstractPhase):
    """Collects complete episodes of the uniform random policy, a round an advance.

    In a round every copy plays the same number of whole episodes, more than one where those before
    were short: a number that is fixed before the round begins, so that it favours none.

    Args:
        episodes: how many.
        environments: copies played at once, at most.
        room: bytes that the store may take, but for a part of the last round; None: any number.
        valued: store values beside the steps, as later episodes will; nobody has any yet: 0.
    """

    name = "collect"

    def __init__(
        self,
        episodes: int,
        environments: int,
        room: int | None = None,
        valued: bool = False,
    ):
        self.episodes, self.room = episodes, room
        self.environments = min(episodes, environments)
        self.valued = valued
        self._env: VectorEnv | None = None

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        return {"round": np.zeros((), np.int64), "env_steps": np.zeros((), np.int64)}

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Play one round and add it."""
        if self._env is None:
            fit = max(1, ROUND_BYTES // (ROUND_STEPS * _step_bytes(workspace)))
            self._env = vector_env(workspace.env, min(self.environments, fit))
            self._agent = RandomAgent(workspace.action_space)
        store, key = workspace.store, workspace.key(self.name, int(state["round"]))
        recorder = EpisodeRecorder(
            workspace.observation_space,
            workspace.action_space,
            self._env.stats(self._each(workspace, self._env.n)),
            store,
            self.valued,
        )
        play_round(self._env, self._agent, (), recorder, key=key)
        recorder.add_to_store()
        seen, steps = recorder.stats.summary(), state["env_steps"] + recorder.steps
        wanted = self._wanted(workspace)
        metrics: dict[str, Any] = {
            "episodes": len(store),
            "env_steps": int(steps),
            "stored_steps": store.steps,
            "return": seen.return_mean,
            "length": seen.length_mean,
            "progress": len(store) / wanted,
        }
        last = len(store) >= wanted
        if last and wanted < self.episodes:
            metrics["note"] = f"{len(store)} episodes: {self.episodes} would not fit into 1 GB"
        return {"round": state["round"] + 1, "env_steps": steps}, metrics, last

    def _wanted(self, workspace: Workspace) -> int:
        """Return how many episodes are collected, as far as those before say how long they are."""
        store = workspace.store
        if self.room is None or not len(store):
            return self.episodes
        of_one = store.mean_length * _step_bytes(workspace)
        return max(2, min(self.episodes, int(self.room // of_one)))

    def _each(self, workspace: Workspace, copies: int) -> int:
        """Return how many episodes every copy plays in the next round."""
        store = workspace.store
        if not len(store):
            return 1
        missing = -(-(self._wanted(workspace) - len(store)) // copies)
        return int(np.clip(ROUND_STEPS // store.mean_length, 1, max(missing, 1)))


def _step_bytes(workspace: Workspace) -> int:
    """Return about how many bytes a stored step takes, its score and reward too."""
    return leaf_bytes(workspace.observation_space) + 16
