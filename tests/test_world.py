"""The world: held-out episodes are one in 16, whatever order the data are in."""

import numpy as np
import pytest

from memup.data.store import EpisodeStore
from memup.phases.base import World
from memup.spaces import Box


@pytest.mark.parametrize("period", [1, 2, 3, 4, 5, 8, 10, 16])
def test_held_out_episodes_are_in_step_with_no_regular_order(period):
    store = EpisodeStore()
    store.extend({"obs": np.zeros((20_000, 1), np.float32)}, np.ones(20_000, np.int64))
    train, held = World(None, store, Box((1,)), 0, 0).split_ids()
    assert len(train) + len(held) == 20_000 and not set(train.tolist()) & set(held.tolist())
    for kind in range(period):
        share = (held % period == kind).sum() / (20_000 / period)
        assert 0.6 / 16 < share < 1.4 / 16
