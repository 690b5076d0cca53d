"""Measure on a store where the vectors that networks read lie, and how far they spread."""

from typing import Any

import numpy as np

from memup.core.spaces import Box, Space, flatten
from memup.data.store import EpisodeStore
from memup.nn.encoders.leaf import is_vector
from memup.nn.encoders.statistics import check_float32, statistics

SAMPLE = 200_000
SAMPLE_BYTES = 1 << 26


def measure_scales(
    store: EpisodeStore,
    observation_space: Space,
    action_space: Space | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Measure the constants of every vector on a sample of steps.

    Images need none, nor do actions with bounds. Of wide vectors fewer steps are looked at, so that
    a sample never takes more than 64 MiB.

    Args:
        store: the episodes.
        observation_space: what is seen.
        action_space: what is done; None where there are no actions and no rewards.
        rng: draws the steps.

    Returns:
        {"obs.x": {"shift": [...], "scale": [...]}, "reward": ...}, plain JSON.

    Raises:
        MemupError: float32 cannot tell the values of a field apart.
    """
    leaves = {name: leaf for name, leaf in flatten(observation_space).items() if is_vector(leaf)}
    if action_space is not None:
        acted = flatten(action_space, "action").items()
        leaves |= {n: leaf for n, leaf in acted if isinstance(leaf, Box) and not leaf.bounded}
        leaves |= {"reward": Box(())}
    facts = {}
    for name, leaf in leaves.items():
        count = max(1, min(SAMPLE, SAMPLE_BYTES // (8 * max(leaf.size, 1))))
        data = store.gather(name, store.sample_rows(rng, count)).reshape(-1, leaf.size)
        found = statistics(data)
        check_float32(name, data, found)
        facts[name] = found.describe()
    return facts
