"""Look up what is asked about stored steps, and what is seen there."""

import numpy as np
from jaxtyping import Bool, Int, PyTree

from memup.core.spaces import Discrete, Leaf, MultiDiscrete, Space, flatten, join
from memup.core.types import Query, StepInput
from memup.data.store import EpisodeStore


def question(
    store: EpisodeStore,
    observation_space: Space,
    action_space: Space | None,
    rows: Int[np.ndarray, "..."],
    steps: int,
) -> Query:
    """Look up the local questions about some steps.

    Args:
        store: the episodes.
        observation_space: what is seen.
        action_space: what is done; None: there are no actions.
        rows: of the store, any shape.
        steps: that a question shows, the asked one the last of them. With several, observations
            get an axis for them behind `rows`; before an episode begins its first step is
            repeated.
    """
    seen = rows if steps == 1 else store.behind(rows, steps)
    action = look_up(store, action_space, rows, "action")
    return Query(look_up(store, observation_space, seen), action)


def inputs(
    store: EpisodeStore,
    observation_space: Space,
    action_space: Space | None,
    episode: Int[np.ndarray, "B S"],
    step: Int[np.ndarray, "B S"],
    first: Bool[np.ndarray, "B S"],
) -> StepInput:
    """Look up what a memory reads at some steps: leaves [B, S, ...].

    Args:
        store: the episodes.
        observation_space: what is seen.
        action_space: what is done; None: there are no actions, and rewards are 0.
        episode: ids.
        step: steps of these episodes.
        first: where reading begins anew; no action led there.
    """
    now = store.global_rows(episode, step)
    before = now - ((step > 0) & ~first)
    reward = np.zeros(now.shape) if action_space is None else store.gather("reward", now)
    return StepInput(
        look_up(store, observation_space, now),
        look_up(store, action_space, before, "action"),
        reward.astype(np.float32, copy=False),
        first,
    )


def look_up(
    store: EpisodeStore, space: Space | None, rows: Int[np.ndarray, "..."], prefix: str = "obs"
) -> PyTree:
    """Return the observations, or actions, in some rows of a store; () where there is no space."""
    if space is None:
        return ()
    leaves = flatten(space, prefix).items()
    return join(space, {n: _narrow(leaf, store.gather(n, rows)) for n, leaf in leaves}, prefix)


def _narrow(leaf: Leaf, values: np.ndarray) -> np.ndarray:
    """Return values in a dtype that devices compute in: long whole numbers become floats."""
    if isinstance(leaf, Discrete | MultiDiscrete):
        wide, flags = values.dtype.itemsize > 4, values.dtype == bool
        return values.astype(np.int32) if wide or flags else values
    wide = values.dtype.itemsize > 4 or values.dtype == np.float16
    return values.astype(np.float32) if wide else values


def store_names(observation_space: Space, action_space: Space | None) -> list[str]:
    """Return the fields that hold what questions show."""
    acted = {} if action_space is None else flatten(action_space, "action")
    return [*flatten(observation_space), *acted]
