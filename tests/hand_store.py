"""A store made by hand, whose numbers say which episode and step they are of."""

import numpy as np

from memup.core.spaces import Box, Dict, Discrete
from memup.data.store import EpisodeStore

SPACE = Box((2,), "float32")
DICT_SPACE = Dict({"noise": Box((2,), "float32"), "cue": Discrete(3)})
ACTIONS = Discrete(2)


def number(episode, step):
    """Return what obs[0] holds at a step; the reward is a tenth of it, the action its parity."""
    return 100.0 * episode + step


def episode(number_of, length, extra=None):
    step = np.arange(length)
    obs = np.stack([number(number_of, step), -step], axis=1).astype(np.float32)
    fields = {
        "obs": obs,
        "action": ((number_of + step) % 2).astype(np.int8),
        "reward": (number(number_of, step) / 10).astype(np.float32),
    }
    fields["reward"][0] = 0.0
    return fields | (extra(length) if extra else {})


def hand_store(lengths, extra=None, path=None):
    """Episode e has lengths[e] steps and rising scores, so top-1 is the last outcome."""
    store = EpisodeStore(path)
    for i, length in enumerate(lengths):
        store.add(episode(i, length, extra))
        store.set_scores([i], [np.arange(length, dtype=np.float32)])
    return store


def dict_store(lengths):
    store = EpisodeStore()
    for i, length in enumerate(lengths):
        fields = episode(i, length)
        fields["obs.noise"] = fields.pop("obs")
        fields["obs.cue"] = (np.arange(length) % 3).astype(np.int32)
        store.add(fields, np.arange(length, dtype=np.float32))
    return store
