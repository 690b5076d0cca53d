"""What an input means depends on its place: learned by a memory that is told the time."""

import numpy as np

import memup
from memup.data.store import EpisodeStore

STEPS, PLACE = 24, 13
FIELDS = {
    "training": "supervised",
    "method.target": "label",
    "memory": "gru",
    "memory.size": 16,
    "method.batch_size": 64,
    "encoder.size": 16,
    "method.width": 32,
    "method.learning_rate": 5e-3,
    "method.window": 4,
    "method.order": "staggered",
    "method.updates": 4000,
    "detect.updates": 100,
}


def sequences():
    """Draw 1,000 sequences of signs; the last step asks which one stood at one place."""
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (1000, STEPS)).astype(np.float32)
    label = np.full((1000, STEPS), -1, np.int8)
    label[:, -1] = signs[:, PLACE] > 0
    every = zip(signs, label, strict=True)
    return EpisodeStore.from_episodes(
        [{"obs": x[:, None], "label": y, "labelled": y >= 0} for x, y in every]
    )


def accuracy(**fields):
    run = memup.train(memup.spec(**{**FIELDS, **fields}), store=sequences())
    return run.results[0]["accuracy"]


def test_the_sign_at_one_place_is_remembered():
    """Also where every tenth window begins with a memory that has forgotten all but the time."""
    assert accuracy(**{"method.clock": 16, "method.state_reset_prob": 0.1}) >= 0.95


def test_who_is_not_told_the_time_cannot_know_which_sign_it_was():
    # Chance is 1/2; of 65 held-out sequences a share of 0.7 is more than three deviations away.
    assert accuracy(**{"method.clock": 0, "method.updates": 1000}) < 0.7
