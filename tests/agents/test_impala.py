"""IMPALA: stale actors, what the learner aims at, and rollouts in parts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from agents_on_memory import ENV, B, make, play, split

from memup.agents.configs import IMPALAConfig
from memup.agents.impala import IMPALA
from memup.agents.learner import rmsprop
from memup.core.tree import ravel, rebuilder

CONFIG = IMPALAConfig(hidden=4, minibatches=2, policy_lag=3, gamma=0.5, learning_rate=0.01)


@pytest.fixture(scope="module")
def params():
    return ravel(make(jax.random.key(0)))


@pytest.fixture(scope="module", params=[False, True], ids=["frozen", "trained"])
def agent(request, params):
    return IMPALA(params, rebuilder(make), ENV.action_space, CONFIG, train_memory=request.param)


@pytest.fixture(scope="module")
def played(agent):
    return play(agent)


@pytest.fixture(scope="module")
def learn(agent):
    return jax.jit(lambda s, t, k: agent.learn(s, t, key=k))


def test_actors_follow_when_they_are_too_old(agent, played, learn):
    state, trajectory = played
    learned = jax.jit(lambda s: agent.learner.learned(s.trained))
    ages = []
    for n in range(4):
        before = state
        state, metrics = learn(state, trajectory, jax.random.key(n))
        ages.append(int(state.age))
        newest, kept = learned(state), before.actors
        assert np.array_equal(state.actors, newest if ages[-1] == 0 else kept)
        assert not np.array_equal(newest, learned(before)) and metrics["skipped_in_a_row"] == 0
    # Two updates a rollout: 2 is not older than 3, 4 is.
    assert ages == [2, 0, 2, 0]


def test_what_learns(agent, played, learn):
    state, trajectory = played
    after, metrics = learn(state, trajectory, jax.random.key(0))
    assert not np.array_equal(after.trained.network, state.trained.network)
    same = np.array_equal(after.trained.memory, state.trained.memory)
    assert same != agent.learner.train_memory
    np.testing.assert_allclose(metrics["ratio"], 1.0, atol=0.1)


def test_acting_is_by_the_old_policy_and_greedy_by_the_newest(agent, played):
    state, trajectory = played
    trained = state.trained._replace(network=state.trained.network + 1.0)
    newer = state._replace(trained=trained)
    act = lambda s, greedy: agent.act(  # noqa: E731
        s, trajectory.before, jax.tree.map(lambda a: a[0], trajectory.step),
        key=jax.random.key(1), greedy=greedy,
    )[2].value  # fmt: skip
    np.testing.assert_array_equal(act(newer, False), act(state, False))
    assert not np.allclose(act(newer, True), act(state, True))


def test_on_policy_the_learner_sees_what_the_actors_saw(agent, played):
    state, trajectory = played

    @jax.jit
    def look(state, trajectory):
        batch, trained = agent._prepare(state, trajectory), state.trained
        m = agent.learner.outputs(trained.memory, batch.seen)
        logits, value = agent.learner.heads(trained.network, m)
        log_prob = jnp.take_along_axis(
            jax.nn.log_softmax(logits[:-1]), batch.action[..., None], axis=-1
        )
        return log_prob[..., 0] - batch.log_prob, value[:-1] - trajectory.extras.value

    for difference in look(state, trajectory):
        np.testing.assert_allclose(difference, 0, atol=2e-6)


def total(agent, state, trajectory):
    """Loss times transitions, entropy and its gradient left as they are."""

    @jax.jit
    def loss(state, trajectory):
        batch, trained = agent._prepare(state, trajectory), state.trained
        mean, _ = agent._loss(batch, trained.network, trained.memory)
        return mean * jnp.sum(batch.moves.valid)

    return loss(state, trajectory)


def test_a_rollout_split_at_an_end_has_the_same_loss(agent, played):
    """At an end V-trace starts anew, and the second part starts from the actors' own memory."""
    state, trajectory = played
    ended = trajectory.step.terminated
    at = 1 + int(np.flatnonzero(ended[:, 0])[0])
    whole = split(trajectory, 0, len(ended), agent, state, actor=0)
    parts = [
        split(trajectory, low, high, agent, state, actor=0)
        for low, high in ((0, at), (at, len(ended)))
    ]
    losses = [total(agent, state, part) for part in parts]
    np.testing.assert_allclose(sum(losses), total(agent, state, whole), rtol=1e-4)


def test_terminated_and_truncated_bootstrap_differently(agent, played):
    state, trajectory = played
    step = trajectory.step
    cut = step._replace(terminated=step.truncated, truncated=step.terminated)
    end = trajectory.last
    last = end._replace(terminated=end.truncated, truncated=end.terminated)
    aims = []
    for t in (trajectory, trajectory._replace(step=cut, last=last)):
        batch = agent._prepare(state, t)
        value = jnp.full((len(t.action) + 1, B), 8.0)
        aims.append(agent._aim(batch.moves.valid * 1.0, batch.moves, value).value)
    before_end = np.asarray(step.terminated[1:])
    reward = np.asarray(step.reward[1:])
    np.testing.assert_allclose(aims[0][:-1][before_end], reward[before_end], atol=1e-5)
    np.testing.assert_allclose(aims[1][:-1][before_end], reward[before_end] + 4, atol=1e-5)


def test_steps_of_rmsprop():
    """By hand: scales sqrt(9) and sqrt((0.99 * 0.09 + 0.01 * 16) / 0.0199), plus 0.5."""
    steps = rmsprop(0.1, clip_norm=4.0, eps=0.5)
    first, state = steps.update(jnp.array([3.0]), steps.init(jnp.zeros(1)))
    np.testing.assert_allclose(first, -0.3 / 3.5, rtol=1e-5)
    # Clipped to 4.
    second, _ = steps.update(jnp.array([40.0]), state)
    np.testing.assert_allclose(second, -0.4 / 4.038020, rtol=1e-5)
