"""Fill the store with random play."""

from typing import Any

import numpy as np
from jaxtyping import PyTree

from memup.agents.episodes import Player, play_round
from memup.agents.played import Played
from memup.agents.random import RandomAgent
from memup.phases.base import AbstractPhase, World
from memup.types import Metrics


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

    def start(self, world: World) -> PyTree:
        """See AbstractPhase."""
        return {"round": np.zeros((), np.int64)}

    def advance(self, world: World, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Play one round and add it."""
        if self._player is None:
            self._player = Player(RandomAgent(world.actions), world.env, self.environments)
        key = world.key(self.name, int(state["round"]))
        batch = self._player.batch
        played = Played(world.space, world.actions, batch, world.store, self.valued)
        play_round(self._player, (), key, played)
        played.add_to_store()
        metrics: dict[str, Any] = {
            "episodes": len(world.store),
            "env_steps": world.store.steps,
            "return": float(played.total.mean()),
            "length": float(played.lengths.mean()) - 1,
            "progress": len(world.store) / self.episodes,
        }
        return {"round": state["round"] + 1}, metrics, len(world.store) >= self.episodes
