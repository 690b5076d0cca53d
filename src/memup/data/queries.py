"""Look up what is asked about stored steps, and what is seen there."""

import numpy as np
from jaxtyping import Int, PyTree

from memup.core.spaces import Space, flatten, join
from memup.core.types import Query
from memup.data.store import EpisodeStore


def question(
    store: EpisodeStore, space: Space, rows: Int[np.ndarray, "..."], steps: int, actions: bool
) -> Query:
    """Look up the local questions about some steps.

    Args:
        store: the episodes.
        space: observation space.
        rows: of the store, any shape.
        steps: that a question shows, the asked one the last of them. With several, observations
            get an axis for them behind `rows`; before an episode begins its first step is
            repeated.
        actions: whether the episodes have actions.
    """
    seen = rows if steps == 1 else store.behind(rows, steps)
    action = store.gather("action", rows) if actions else np.zeros(rows.shape, np.int32)
    return Query(look_up(store, space, seen), action)


def look_up(store: EpisodeStore, space: Space, rows: Int[np.ndarray, "..."]) -> PyTree:
    """Return the observations in some rows of a store."""
    return join(space, {name: store.gather(name, rows) for name in flatten(space)})
