"""Detectors: uncertainty where the outcome is uncertain, in nats, and none where it is not."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from method_parts import target as make_target

from memup.core.spaces import Discrete
from memup.core.tree import ravel, rebuilder
from memup.core.types import Query, StepInput
from memup.data.store import EpisodeStore
from memup.memories.encoded import EncodedMemory
from memup.memories.make import make_memory
from memup.method.detectors.base import DetectorParts, Episodes
from memup.method.detectors.table import DETECTORS
from memup.method.local import LocalLearner, LocalModel
from memup.method.losses import losses_of_episodes
from memup.method.predictor import LocalPredictor, Predictor
from memup.method.selectors.current import Current
from memup.method.update import MemUP, Model, initial_carry
from memup.method.windows import Windows
from memup.nn.distributions import Finite, Quantile
from memup.nn.encoders import InputEncoder, QueryEncoder

SPACE = Discrete(3)
LN2 = math.log(2)


def outcomes(obs, rng):
    """Obs 0: always 0. Obs 1: a fair coin of -1 and 1. Obs 2: 1 with probability 0.9, else -1."""
    coin = np.where(rng.random(obs.shape) < 0.5, 1.0, -1.0)
    biased = np.where(rng.random(obs.shape) < 0.9, 1.0, -1.0)
    return np.select([obs == 0, obs == 1], [0.0, coin], biased).astype(np.float32)


def local(likelihood, rate=1e-2):
    def make(key):
        keys = jax.random.split(key)
        question = QueryEncoder(SPACE, None, 8, key=keys[0])
        return LocalModel(
            LocalPredictor(question, 16, likelihood.param_size, key=keys[1]), likelihood
        )

    return LocalLearner.of(make, rate, key=jax.random.key(0))


def trained(likelihood, updates, rate=1e-2):
    detector = local(likelihood, rate)
    state = detector.init()
    rng = np.random.default_rng(0)
    obs = rng.integers(3, size=(updates, 256)).astype(np.int32)
    batches = Query(obs, np.zeros_like(obs)), outcomes(obs, rng)[..., None]
    state, metrics = jax.jit(detector.learn_many)(state, batches)
    three = Query(np.arange(3, dtype=np.int32), np.zeros(3, np.int32))
    return detector, state, metrics, np.asarray(jax.jit(detector.score)(state.model, three))


def test_entropy_is_that_of_the_outcome_in_nats():
    _, state, metrics, score = trained(Finite(((-1.0, 0.0, 1.0),)), 400)
    biased = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)
    np.testing.assert_allclose(score, [0.0, LN2, biased], atol=0.05)
    expected = (LN2 + biased) / 3
    np.testing.assert_allclose(np.asarray(metrics["loss"])[-50:].mean(), expected, atol=0.02)
    assert int(state.updates) == 400


def test_quantile_is_the_spread_of_the_outcome():
    _, _, _, score = trained(Quantile(0.0, 1.0, count=20, kappa=0.05), 600)
    assert score[0] < 0.1, "certain"
    np.testing.assert_allclose(score[1], 1.0, atol=0.15)
    np.testing.assert_allclose(score[2], 0.6, atol=0.25)
    assert score[0] < score[2] < score[1]


def test_an_infinite_outcome_is_skipped():
    detector, state, _, _ = trained(Quantile(0.0, 1.0, count=20), 1)
    batch = (
        Query(np.zeros(4, np.int32), np.zeros(4, np.int32)),
        np.full((4, 1), np.nan, np.float32),
    )
    after, metrics = jax.jit(detector.learn)(state, batch)
    np.testing.assert_array_equal(after.model, state.model)
    assert int(metrics["skipped_in_a_row"]) == 1


def corridor(n, oracle_at=None):
    fields = {
        "obs": (np.arange(n) % 3).astype(np.int32),
        "action": np.zeros(n, np.int8),
        "reward": np.linspace(0, 1, n).round().astype(np.float32),
    }
    return fields if oracle_at is None else fields | {"oracle": (np.arange(n) == oracle_at) * 1}


def made(name, tail=2):
    baseline = local(Finite(((-1.0, 0.0, 1.0),)))
    parts = DetectorParts(baseline, lambda: local(Quantile(0.0, 1.0, count=20)), tail)
    return DETECTORS[name].make(parts, {})


def episodes_of(store, target):
    """Score by a learner, as the phase does, but an episode at a time."""

    def each(learner, params):
        seen = [store.episode(i)["obs"] for i in store.ids]
        score = jax.jit(learner.score)
        return [np.asarray(score(params, Query(o, np.zeros_like(o)))) for o in seen]

    return Episodes(store, make_target(target), store.ids, each)


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_contract(name):
    detector, rng = made(name), np.random.default_rng(0)
    obs = rng.integers(3, size=(300, 128)).astype(np.int32)
    batches = Query(obs, np.zeros_like(obs)), outcomes(obs, rng)[..., None]
    state, metrics = jax.jit(detector.learn_many)(detector.init(), batches)
    assert metrics["loss"].shape == metrics["skipped_in_a_row"].shape == (300,)
    learned = {own: s.model for own, s in state.items()}
    some = jax.tree.map(lambda a: a[0], batches)
    lost = jax.jit(detector.losses)(learned, some)
    assert set(lost) == set(learned) and "baseline" in lost
    nats = jax.jit(detector.without_memory)(learned, *some)
    assert abs(float(nats.mean()) - (LN2 + 0.325) / 3) < 0.1, "the same, whatever the detector"
    store = EpisodeStore.from_episodes([corridor(4), corridor(6)])
    scores = detector.score(learned, episodes_of(store, "reward"))
    assert [len(s) for s in scores] == [4, 6]
    assert all(s.dtype == np.float32 and (s >= 0).all() for s in scores)
    assert detector.rescoring in ("never", "per chunk")
    again = detector.init(learned)
    assert all(np.array_equal(again[own].model, learned[own]) for own in learned)


def test_oracle_marks_the_last_outcomes_or_what_the_data_say():
    store = EpisodeStore.from_episodes([corridor(4), corridor(6)])
    first, second = made("oracle").score({}, episodes_of(store, "reward"))
    # The last step has no reward to predict: what its score says is never read.
    assert first[:-1].tolist() == [0, 1, 1] and second[:-1].tolist() == [0, 0, 0, 1, 1]
    assert made("oracle").score({}, episodes_of(store, "label"))[0].tolist() == [0, 0, 1, 1]
    told = EpisodeStore.from_episodes([corridor(4, 1)])
    assert made("oracle").score({}, episodes_of(told, "reward"))[0].tolist() == [0, 1, 0, 0]


def test_the_loss_of_every_step_of_episodes():
    likelihood = Finite(((0.0, 1.0),))

    def make(key):
        keys = jax.random.split(key, 4)
        memory = EncodedMemory(
            InputEncoder(SPACE, Discrete(2), 4, key=keys[0]),
            make_memory("rnn", 4, key=keys[1], size=3),
        )
        question = QueryEncoder(SPACE, Discrete(2), 4, key=keys[2])
        return Model(memory, Predictor(3, question, 5, 2, key=keys[3]), likelihood)

    learner = MemUP.of(rebuilder(make), 1e-3, 1.0, 0.9)
    slow = ravel(make(jax.random.key(1)))
    store = EpisodeStore.from_episodes([corridor(7), corridor(4)])
    windows = Windows(store, Current(), make_target("reward"), SPACE, Discrete(2), 3)
    evaluate = jax.jit(learner.evaluate_many)
    scores = losses_of_episodes(learner, slow, windows, np.array([0, 1]), 3, evaluate)
    model = learner.model(slow)
    unroll, losses = (
        jax.jit(lambda s, x: model.memory.unroll(s, x)),
        jax.jit(lambda *a: model.losses(*a)),
    )
    for i, score in enumerate(scores):
        e = store.episode(i)
        n = len(e["obs"])
        assert score.shape == (n,) and score[-1] == 0.0, "the last step has no outcome"
        first = jnp.arange(n) == 0
        previous = jnp.zeros(n, jnp.int8)
        state = jax.tree.map(lambda a: a[0], initial_carry(model.memory, 1))
        _, m = unroll(state, StepInput(e["obs"], previous, e["reward"], first))
        context = Query(e["obs"][:-1, None], e["action"][:-1, None])
        expected = losses(m[:-1], context, e["reward"][1:, None, None])[:, 0]
        np.testing.assert_allclose(score[:-1], expected, rtol=1e-4)
