"""Targets and selectors by name, of little."""

import jax

from memup.core.spaces import Box
from memup.core.types import Query
from memup.method.local import LocalLearner, LocalModel
from memup.method.predictor import LocalPredictor
from memup.method.selectors.base import SelectorParts
from memup.method.selectors.make import make_selector
from memup.method.targets.base import TargetParts
from memup.method.targets.table import TARGETS
from memup.nn.distributions import Normal
from memup.nn.encoders import QueryEncoder


def target(name, gamma=0.0, fields=()):
    return TARGETS[name].make(TargetParts(fields, gamma), {"gamma": gamma, "family": "auto"})


def selector(names, width, temperature=0.25, store=None, space=None):
    def look_up(ids, steps):
        return Query(store.at(ids, steps, ["obs"])["obs"], ())

    parts = SelectorParts(width, lambda: regression(space or Box((2,), "float32")), look_up)
    return make_selector(names, parts, {"temperature": temperature})


def regression(space, rate=1e-2):
    """A learner of one real number of a step's observation."""

    def make(key):
        keys = jax.random.split(key)
        question = QueryEncoder(space, None, 8, key=keys[0])
        likelihood = Normal((0.0,), (1.0,))
        return LocalModel(
            LocalPredictor(question, 16, likelihood.param_size, key=keys[1]), likelihood
        )

    return LocalLearner.of(make, rate, key=jax.random.key(0))
