"""What loss to expect with memory, learned from the losses of updates."""

import numpy as np
from hand_store import ACTIONS, SPACE

from memup.build.blueprint import Blueprint
from memup.build.parts import Parts
from memup.core.tree import initial, rebuilder
from memup.core.types import Query, Window
from memup.data.store import EpisodeStore
from memup.method.detectors.local import LocalDetector
from memup.nn.distributions import Normal
from memup.phases.base import Workspace
from memup.phases.gain_model import GainModel
from memup.specs.spec import make_spec


def workspace():
    """Two episodes whose steps are of two kinds: obs[0] is 1 at every third step, else 0."""
    store = EpisodeStore()
    for length in (30, 12):
        kind = (np.arange(length) % 3 == 0).astype(np.float32)
        obs = np.stack([kind, np.zeros(length, np.float32)], axis=1)
        store.add({"obs": obs, "action": np.zeros(length, np.int8)})
    return Workspace(None, store, SPACE, ACTIONS, 0)


def test_kinds_of_steps_have_the_losses_they_had_as_targets():
    here, shape = workspace(), (4, 3, 5, 2)
    spec = make_spec({"env": "tmaze-10", "method.encoder": 8})
    make = Parts(Blueprint(spec, SPACE, ACTIONS)).local_model(Normal((0.0,), (1.0,)))
    gain_model = GainModel(
        LocalDetector.of(rebuilder(make), 1e-2), initial(make, here.key("gain_model"))
    )
    state, rng = gain_model.start(), np.random.default_rng(0)
    for _ in range(40):
        kind = rng.integers(2, size=shape).astype(np.float32)
        context = Query(np.stack([kind, 0 * kind], axis=-1), np.zeros(shape, np.int8))
        weight = (rng.random(shape) < 0.7).astype(np.float32)
        # What does not count has a loss of its own, which must not be learned.
        losses = np.where(weight > 0, np.where(kind > 0, 0.1, 0.7), 9.0)
        windows = Window(None, None, context, None, weight)
        state = gain_model.learn(state, windows, losses, rng)
    told = gain_model.expected(here, state)({1: np.arange(12), 0: np.array([0, 1, 29])})
    assert list(told) == [1, 0]
    np.testing.assert_allclose(told[1], np.where(np.arange(12) % 3 == 0, 0.1, 0.7), atol=0.1)
    np.testing.assert_allclose(told[0], [0.1, 0.7, 0.7], atol=0.1)


def test_nothing_is_learned_where_nothing_counts():
    here = workspace()
    blueprint = Blueprint(make_spec({"env": "tmaze-10"}), SPACE, ACTIONS)
    make = Parts(blueprint).local_model(Normal((0.0,), (1.0,)))
    gain_model = GainModel(
        LocalDetector.of(rebuilder(make), 1e-2), initial(make, here.key("gain_model"))
    )
    nothing = Window(None, None, Query(None, None), None, np.zeros((1, 1, 1, 1), np.float32))
    state = gain_model.start()
    assert (
        gain_model.learn(state, nothing, np.zeros((1, 1, 1, 1)), np.random.default_rng(0)) is state
    )
