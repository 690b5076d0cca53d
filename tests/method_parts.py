"""Targets and selectors by name, of little."""

from functools import partial

import jax
import numpy as np

from memup.core.spaces import Box
from memup.core.types import Query
from memup.method.distance import CODES
from memup.method.local import LocalLearner
from memup.method.predictor import LocalPredictor
from memup.method.selectors.base import SelectorParts
from memup.method.selectors.make import make_selector
from memup.method.targets.base import TargetParts
from memup.method.targets.table import TARGETS
from memup.nn.encoders import QueryEncoder


def target(name, gamma=0.0, fields=()):
    return TARGETS[name].make(TargetParts(fields, gamma), {"gamma": gamma, "family": "auto"})


def selector(names, width, temperature=0.25, store=None, space=None, without=0.7):
    """A selector whose memory-less model loses `without` nats at every step."""

    def look_up(ids, steps):
        return Query(store.at(ids, steps, ["obs"])["obs"], ())

    parts = SelectorParts(
        width,
        partial(learner, space or Box((2,), "float32")),
        look_up,
        lambda query, target: np.full(len(target), without, np.float32),
    )
    return make_selector(names, parts, {"temperature": temperature})


def learner(space, model, rate=1e-2):
    """The learner of a memory-less number for each code of the distance."""

    def make(key):
        keys = jax.random.split(key)
        question = QueryEncoder(space, None, 8, key=keys[0])
        return model(LocalPredictor(question, 16, CODES, key=keys[1]))

    return LocalLearner.of(make, rate, key=jax.random.key(0))
