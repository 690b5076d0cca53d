"""PPO by hand on small trajectories, and what a frozen and a trained memory mean."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.acting.rollout import begin, rollout
from memup.agents.actor import Actor
from memup.agents.advantages import Advantages, scaled
from memup.agents.configs import PPOConfig
from memup.agents.policy import Kept
from memup.agents.ppo import PPO
from memup.core.tree import ravel, rebuilder
from memup.core.types import TimeStep, Trajectory
from memup.envs.tmaze import TMaze
from memup.memories.encoded import EncodedMemory
from memup.memories.make import make_memory
from memup.nn.encoders import InputEncoder

ENV = TMaze(3, "LN")
B, T = 4, 10
CONFIG = PPOConfig(hidden=8, epochs=2, minibatches=2, gamma=0.5, gae_lambda=0.5)


def make(key):
    keys = jax.random.split(key)
    encoder = InputEncoder(ENV.observation_space, ENV.action_space, 6, key=keys[0])
    return EncodedMemory(encoder, make_memory("gru", 6, key=keys[1], size=5))


@pytest.fixture(scope="module")
def params():
    return jax.jit(lambda k: ravel(make(k)))(jax.random.key(0))


@pytest.fixture(scope="module", params=[False, True], ids=["frozen", "trained"])
def agent(request, params):
    return PPO(params, rebuilder(make), ENV.action_space, CONFIG, train_memory=request.param)


@pytest.fixture(scope="module")
def played(agent):
    """A state and a rollout that begins in mid-episode and has several resets in it."""

    @jax.jit
    def play(key):
        keys = jax.random.split(key, 4)
        state = agent.init(key=keys[0])
        carry = begin(agent, state, ENV, B, key=keys[1])
        carry, _ = rollout(agent, state, ENV, carry, 2, key=keys[2])
        return state, rollout(agent, state, ENV, carry, T, key=keys[3])[1]

    state, trajectory = play(jax.random.key(1))
    assert int(trajectory.step.first.sum()) >= 2 * B
    assert not bool(trajectory.step.first[0].any())
    return state, trajectory


@pytest.fixture(scope="module")
def learned(agent, played):
    state, trajectory = played
    return jax.jit(lambda s, t: agent.learn(s, t, key=jax.random.key(2)))(state, trajectory)


def test_episodes_begin_after_they_end_and_the_last_observation_stays(played):
    _, trajectory = played
    step = jax.tree.map(np.asarray, trajectory.step)
    ended = step.terminated | step.truncated
    assert np.array_equal(step.first[1:], ended[:-1])
    assert (step.obs[ended] == 0).all() and set(step.reward[ended].tolist()) <= {4.0, -3.0}
    assert not step.reward[step.first].any()


def test_recomputed_features_are_the_acted_ones(agent, played):
    state, trajectory = played
    if not agent.learner.train_memory:
        return

    @jax.jit
    def again(state, trajectory):
        state, batch = agent._prepare(state, trajectory)
        m = agent.learner.outputs(state.trained.memory, batch.seen)
        logits, value = agent.learner.heads(state.trained.network, m)
        log_prob = jnp.take_along_axis(jax.nn.log_softmax(logits), batch.action[..., None], -1)
        return m, log_prob[..., 0], value

    m, log_prob, value = again(state, trajectory)
    kept = trajectory.extras
    for new, old in ((m, kept.m), (log_prob, kept.log_prob), (value, kept.value)):
        np.testing.assert_allclose(new, old, atol=2e-6)


def test_the_first_gradient_is_that_of_the_plain_policy_gradient(agent, played):
    """Before any update the ratio is 1, so neither clip nor kl says anything."""
    state, trajectory = played

    @jax.jit
    def loss(state, trajectory):
        state, batch = agent._prepare(state, trajectory)
        value, metrics = agent._loss(batch, state.trained.network, state.trained.memory)
        surrogate = jnp.sum(jnp.where(batch.valid, batch.advantage, 0)) / jnp.sum(batch.valid)
        return value, metrics, surrogate

    value, metrics, surrogate = loss(state, trajectory)
    np.testing.assert_allclose(metrics["kl"], 0.0, atol=1e-6)
    expected = -surrogate + 0.5 * metrics["value_loss"] - 0.001 * metrics["entropy"]
    np.testing.assert_allclose(value, expected, atol=1e-5)
    np.testing.assert_allclose(metrics["entropy"], np.log(2), atol=1e-2)


def test_what_learns(agent, played, learned):
    state, _ = played
    after, metrics = learned
    assert not np.array_equal(after.trained.network, state.trained.network)
    assert np.array_equal(after.trained.memory, state.trained.memory) != agent.learner.train_memory
    assert all(np.isfinite(v) for v in metrics.values()) and metrics["skipped_in_a_row"] == 0


def test_a_nan_in_a_rollout_changes_nothing(agent, played):
    state, trajectory = played
    reward = trajectory.step.reward.at[3].set(jnp.nan)
    bad = trajectory._replace(step=trajectory.step._replace(reward=reward))
    after, metrics = jax.jit(lambda s, t: agent.learn(s, t, key=jax.random.key(2)))(state, bad)
    assert np.array_equal(after.trained.network, state.trained.network)
    assert np.array_equal(after.trained.memory, state.trained.memory)
    assert metrics["skipped_in_a_row"] > 0


def column(*values):
    return jnp.asarray(values)[:, None]


def hand(ends, last_first=False, truncated=False):
    """A rollout of one actor over 4 steps; the third one ends an episode if `ends`."""
    end = column(False, False, ends, False)
    no = jnp.zeros((4, 1), bool)
    step = TimeStep(
        jnp.zeros((4, 1, 3), jnp.int8),
        column(0.0, 1.0, 2.0, 0.0),
        no if truncated else end,
        end if truncated else no,
        column(True, False, False, ends),
        jnp.zeros((4, 1)),
    )
    extras = Kept(jnp.zeros((4, 1)), column(10.0, 20.0, 30.0, 40.0), jnp.zeros((4, 1, 5)))
    one = jnp.zeros(1, bool)
    last = TimeStep(jnp.zeros((1, 3), jnp.int8), jnp.array([5.0]), ~one, one, one, jnp.zeros(1))
    rows = jnp.zeros((1, 5))
    before = Actor((rows,), jnp.array([1]))
    return Trajectory(step, column(0, 1, 0, 1), extras, last, before, before)


def prepared(params, trajectory):
    agent = PPO(params, rebuilder(make), ENV.action_space, CONFIG)
    state = agent.init(key=jax.random.key(0))
    before = trajectory.before._replace(memory=agent.begin(state, 1).memory)
    trajectory = trajectory._replace(before=before, after=before)
    state, batch = jax.jit(agent._prepare)(state, trajectory)
    return batch, state.returns.value(batch.aim)


def test_value_targets_without_an_end(params):
    batch, ret = prepared(params, hand(ends=False))
    # gamma 1/2, lambda 1/2; the last step is terminal, so nothing is bootstrapped there.
    deltas = [1 + 10 - 10, 2 + 15 - 20, 0 + 20 - 30, 5 - 40]
    a3 = deltas[3]
    a2 = deltas[2] + a3 / 4
    a1 = deltas[1] + a2 / 4
    a0 = deltas[0] + a1 / 4
    np.testing.assert_allclose(ret[:, 0], [10 + a0, 20 + a1, 30 + a2, 40 + a3], rtol=1e-5)
    assert batch.valid.all() and batch.seen.x.action[:, 0].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("truncated", [False, True])
def test_value_targets_around_an_end(params, truncated):
    batch, ret = prepared(params, hand(ends=True, truncated=truncated))
    assert batch.valid[:, 0].tolist() == [True, True, False, True]
    bootstrap = 15 if truncated else 0
    a1 = 2 + bootstrap - 20
    a0 = 1 + 10 - 10 + a1 / 4
    np.testing.assert_allclose(ret[[0, 1, 3], 0], [10 + a0, 20 + a1, 5.0], rtol=1e-5)


def test_acting_forgets_where_an_episode_begins(params):
    agent = PPO(params, rebuilder(make), ENV.action_space, CONFIG)
    state = agent.init(key=jax.random.key(0))
    act = jax.jit(lambda c, t: agent.act(state, c, t, key=jax.random.key(1), greedy=True))
    carry = agent.begin(state, 2)
    dirty = Actor(jax.tree.map(lambda a: a + 3.0, carry.memory), carry.action + 1)
    flags = jnp.array([True, False])
    step = TimeStep(
        jnp.ones((2, 3), jnp.int8),
        jnp.zeros(2),
        ~flags & flags,
        ~flags & flags,
        flags,
        jnp.zeros(2),
    )
    clean_m, dirty_m = act(carry, step)[2].m, act(dirty, step)[2].m
    np.testing.assert_array_equal(clean_m[0], dirty_m[0])
    assert not np.allclose(clean_m[1], dirty_m[1])


def test_advantages_are_scaled_by_a_running_spread():
    noise = jnp.asarray(np.random.default_rng(0).normal(3, 7, (50, 2)), jnp.float32)
    valid = jnp.ones((50, 2), bool).at[0].set(False)
    scale = jax.jit(lambda variance, a: scaled(variance, Advantages(a, a, valid)))
    variance, first = scale(jnp.zeros(2), noise)
    np.testing.assert_allclose([first[1:].mean(), first[1:].std()], [0, 1], atol=1e-3)
    # A quiet rollout after it is divided by the running spread, not blown up to 1.
    _, quiet = scale(variance, noise / 100)
    spread = np.sqrt((0.99 + 1e-4) / 1.99)
    np.testing.assert_allclose(quiet[1:].std(), 0.01 / spread, rtol=1e-2)
