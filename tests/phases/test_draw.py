"""Steps that a detector learns from."""

import numpy as np

from memup.core.spaces import Discrete
from memup.data import rarity
from memup.data.store import EpisodeStore
from memup.method.targets.label import Label
from memup.phases.base import Workspace
from memup.phases.draw import Draw

EPISODES, STEPS = 40, 500


def draw_from(label):
    """A store whose observation at a step is episode + step, modulo 7."""
    store = EpisodeStore()
    obs = (np.arange(EPISODES)[:, None] + np.arange(STEPS)[None]) % 7
    fields = {"obs": obs.astype(np.int8).ravel(), "label": label.astype(np.int8).ravel()}
    store.extend(fields, [STEPS] * EPISODES)
    workspace = Workspace(None, store, Discrete(7), None, 0)
    workspace.facts["rarity"] = rarity.measure(
        store, {"obs": Discrete(7)}, np.random.default_rng(0)
    )
    return Draw(workspace, Label()), store


def test_where_an_episode_has_one_label_all_of_them_are_drawn():
    label = np.full((EPISODES, STEPS), -1)
    label[:, -1] = np.arange(EPISODES)
    draw, store = draw_from(label)
    context, value = draw(store.ids, (2, 200), np.random.default_rng(0))
    assert context.obs.shape == (2, 200) and value.shape == (2, 200, 1)
    # The label of episode i is i, and its last observation i + 499 modulo 7.
    np.testing.assert_array_equal(context.obs, (value[..., 0] + 499) % 7)
    assert len(np.unique(value)) == EPISODES
    _, some = draw(store.ids[:3], (1, 50), np.random.default_rng(0))
    assert set(np.unique(some)) == {0, 1, 2}


def test_where_labels_are_common_steps_without_one_give_way():
    label = np.where(np.arange(STEPS) % 10 == 0, 1, -1) * np.ones((EPISODES, 1))
    draw, store = draw_from(label)
    _, value = draw(store.ids, (1, 400), np.random.default_rng(0))
    assert value.shape == (1, 400, 1) and (value == 1).all()
