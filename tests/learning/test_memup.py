"""MemUP learns what lies outside its window, and its controls do not."""

import numpy as np
import pytest

import memup
from memup.method.detectors.contexts import ContextTable

LENGTH, WINDOW, MIDDLE = 24, 4, 15
SMALL = {
    "memory": "gru",
    "memory.size": 8,
    "method.batch_size": 16,
    "encoder.size": 8,
    "method.width": 16,
    "method.learning_rate": 5e-3,
    "method.window": WINDOW,
    "detect.updates": 200,
}


def sequences(n=256):
    """A cue at the first step, noise, and a question at the last: which cue was it?"""
    rng = np.random.default_rng(0)
    # At random: one in 16 is held out, and in any regular order all of those would be alike.
    for cue in rng.integers(2, size=n):
        obs, label = np.zeros((LENGTH, 3), np.float32), np.full(LENGTH, -1)
        obs[:, 2] = rng.choice([-1, 1], LENGTH)
        obs[0, 0], obs[-1, 1], label[-1] = 2 * cue - 1, 1, cue
        yield {"obs": obs, "label": label}


def distracted(n=512):
    """The same, but the question comes in the middle, and every other step has an easy label."""
    for sequence in sequences(n):
        obs, cue = sequence["obs"], sequence["label"][-1]
        obs[[MIDDLE, -1], 1] = 1, 0
        label = (obs[:, 2] > 0).astype(int)
        label[MIDDLE] = cue
        yield {"obs": obs, "label": label}


def coins(n=1600):
    """The first kind, and five labels at steps of their own kind: coins, uncertain for ever."""
    rng = np.random.default_rng(1)
    for sequence in sequences(n):
        obs, label = sequence["obs"], sequence["label"]
        at = rng.choice(np.arange(WINDOW, LENGTH - 2), 5, replace=False)
        obs[at, 1], label[at] = 0.5, rng.integers(2, size=5)
        yield {"obs": obs, "label": label}


def parities(n=1600):
    """Two bits far apart, and at the end: do they differ? One of them alone says nothing."""
    rng = np.random.default_rng(2)
    for bits in rng.integers(2, size=(n, 2)):
        obs, label = np.zeros((LENGTH, 2), np.float32), np.full(LENGTH, -1)
        obs[[rng.integers(1, 7), rng.integers(15, 21)], 0] = 2 * bits - 1
        obs[-1, 1], label[-1] = 1, bits[0] ^ bits[1]
        yield {"obs": obs, "label": label}


def accuracy(data=sequences, **fields):
    store = memup.EpisodeStore.from_episodes(list(data()))
    made = {**SMALL, "training": "supervised", "method.target": "label", **fields}
    return memup.train(memup.spec(**made), store=store).results[0]["accuracy"]


@pytest.mark.parametrize("detector", ["entropy", "oracle"])
def test_a_dependency_six_windows_long_is_learned(detector):
    assert accuracy(**{"method.detector": detector}) >= 0.99


def test_the_detector_says_what_to_learn(monkeypatch):
    """Without its scores the last steps would be chosen, which need no memory."""
    # All updates: the far target is known after 500, the easy labels of rare steps later.
    fields = {"method.selector": "top-k", "method.updates": 2000, "method.patience": 0}
    fields |= {"detect.updates": 600, "method.targets": 2, "data": distracted}
    assert accuracy(**fields) >= 0.995
    monkeypatch.setattr(ContextTable, "scores", lambda self, rows: np.zeros(len(rows), np.float32))
    guessed = 1 - 0.5 / LENGTH
    assert accuracy(**fields) < guessed + 0.25 / LENGTH


def test_slots_go_where_memory_helps():
    """Of six labels one can be known: 1 / 2 + 1 / 12 is the best there is, 1 / 2 is a guess."""
    # Large enough to learn on each of four seeds; with 8 units and 16 rows one of four saw nothing.
    fields = {"method.updates": 1500, "seed": 1}
    fields |= {"memory.size": 16, "method.batch_size": 32}
    assert accuracy(coins, **fields) > 0.56


def lagged(n=512):
    """Every step asks what was seen three steps before: the far end says nothing of that."""
    rng = np.random.default_rng(3)
    for _ in range(n):
        obs, label = rng.normal(size=(LENGTH, 2)).astype(np.float32), np.full(LENGTH, -1)
        label[3:] = obs[:-3, 0] > 0
        yield {"obs": obs, "label": label}


def test_where_every_step_asks_targets_are_near():
    """No step is more uncertain than others, and what is asked far ahead is not yet there."""
    fields = {"method.updates": 1500, "memory.size": 32, "method.patience": 0, "data": lagged}
    assert accuracy(**fields) >= 0.95


def test_pieces_pass_the_gradient_between_rare_steps_and_whole_windows_do_not():
    fields = {"method.order": "jump", "method.order.rare": 3, "method.updates": 1000}
    fields |= {"method.window": 10, "method.order.segments": 5, "method.patience": 0}
    assert accuracy(parities, **fields, **{"method.order.segment_length": 2}) >= 0.99
    # With ten steps both bits can lie in one window.
    assert accuracy(parities, **{**fields, "method.window": 6}) <= 0.75


def test_truncated_back_propagation_stays_at_chance():
    """If it learned, the gradient would not be cut where it should be."""
    assert accuracy(**{"method.selector": "current", "method.updates": 2000}) <= 0.75


def test_joint_training_learns_to_act():
    fields = {
        "env": "tmaze-20",
        "training": "joint",
        "collect.episodes": 128,
        "method.order": "jump",
        "agent.rollout": 32,
        "agent.hidden": 16,
        "agent.steps": 400_000,
        "joint.updates": 50,
        "evaluate.episodes": 256,
    }
    run = memup.train(memup.spec(**{**SMALL, **fields}))
    assert run.results[0]["success_rate"] >= 0.95
