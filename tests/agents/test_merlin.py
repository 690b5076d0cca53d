"""MERLIN: what its predictor may know when, where gradients end, and what a code must say."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import memup
from memup.acting.rollout import begin, rollout
from memup.agents.configs import MerlinConfig
from memup.agents.merlin.agent import Merlin
from memup.agents.merlin.decoder import Decoder, Returns
from memup.agents.merlin.policy import ReadingPolicy
from memup.agents.merlin.predictor import Predictor
from memup.agents.merlin.step import WorldModel, merlin_step
from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete
from memup.core.types import StepInput
from memup.envs.memory_game import MemoryGame
from memup.memories.make import make_memory
from memup.nn.encoders import InputEncoder
from memup.ops.gaussian import Gaussian, kl_divergence

ENV = MemoryGame(4)
SPACE, ACTIONS, Z, SLOTS = ENV.observation_space, 5, 3, 6
B, T = 3, 12


def world_model(key):
    keys = jax.random.split(key, 4)
    encoder = InputEncoder(SPACE, Discrete(ACTIONS), 6, key=keys[0])
    predictor = Predictor(encoder, Z, SLOTS, heads=2, size=5, hidden=6, decay=0.5, key=keys[1])
    decoder = Decoder(SPACE, Discrete(ACTIONS), Z, 6, key=keys[2])
    return WorldModel(predictor, decoder, Returns(Z, Discrete(ACTIONS), 6, key=keys[3]))


def policy(key):
    recurrent = make_memory("lstm", 3 * Z, key=key, size=4)
    return ReadingPolicy(recurrent, Z, ACTIONS, 6, key=key)


@pytest.fixture(scope="module")
def agent():
    return Merlin(world_model, policy, Discrete(ACTIONS), MerlinConfig())


@pytest.fixture(scope="module")
def played(agent):
    """A state, and two rollouts one after the other with several episodes in each."""

    state = agent.init(key=jax.random.key(0))

    @jax.jit
    def play(carry, key):
        carry, trajectory = rollout(agent, state, ENV, carry, T, key=key)
        return carry, trajectory, agent._prepare(state, trajectory)[1]

    carry = begin(agent, state, ENV, B, key=jax.random.key(1))
    carry, one, first = play(carry, jax.random.key(2))
    carry, two, second = play(carry, jax.random.key(3))
    trajectories, batches = (one, two), (first, second)
    assert not trajectories[1].step.first[0].all() and trajectories[1].step.first[1:].any()
    return state, trajectories, batches


@pytest.fixture(scope="module")
def rethink(agent, played):
    state = played[0]
    return jax.jit(partial(agent._rethink, state.predictor, state.policy))


def joined(one, two):
    """Two batches end to end, as one rollout."""
    both = jax.tree.map(
        lambda a, b: jnp.concatenate([a, b]), one._replace(minds=()), two._replace(minds=())
    )
    return both._replace(minds=one.minds)


def close(a, b, atol=2e-5):
    jax.tree.map(partial(np.testing.assert_allclose, atol=atol), a, b)


def test_learning_thinks_what_acting_thought(agent, played, rethink):
    state, trajectories, batches = played
    model = agent.world_model(state.predictor)
    for trajectory, batch in zip(trajectories, batches, strict=True):
        thoughts = rethink(batch)
        value = jax.vmap(jax.vmap(model.returns.of_policy))(thoughts.z, thoughts.policy)
        close(value, trajectory.extras.value)


def test_splitting_a_rollout_changes_no_output(played, rethink):
    _, _, (one, two) = played
    whole = rethink(joined(one, two))
    parts = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), rethink(one), rethink(two))
    close(whole, parts)


def test_an_episode_that_begins_in_the_window_begins_afresh(agent, played, rethink):
    state, _, (_, two) = played
    thoughts = rethink(two)
    fresh = agent.begin(state, B)
    rows, starts = np.nonzero(np.asarray(two.x.first[1:]).T)
    row, start = int(rows[0]), int(starts[0]) + 1
    cut = lambda a: jnp.roll(a, -start, axis=0)  # noqa: E731
    moved = jax.tree.map(cut, two._replace(minds=()))._replace(minds=fresh)
    left = T - start
    close(
        jax.tree.map(lambda a: a[start:, row], thoughts),
        jax.tree.map(lambda a: a[:left, row], rethink(moved)),
    )


def test_no_gradient_passes_between_policy_and_predictor(agent, played):
    state, _, (_, batch) = played

    def losses(predictor, policy):
        thoughts = agent._rethink(predictor, policy, batch)
        foreseen, _ = agent._foreseen(agent.world_model(predictor), thoughts, batch)
        return foreseen, agent._acted(thoughts, batch)[0]

    both = jax.jit(jax.jacrev(losses, (0, 1)))
    (foreseen, crossed), (back, acted) = both(state.predictor, state.policy)
    assert not np.any(crossed) and not np.any(back)
    assert np.abs(foreseen).max() > 1e-4 and np.abs(acted).max() > 1e-6


def test_rows_from_before_the_window_have_values_but_no_gradient(agent, played):
    state, _, (_, batch) = played
    mid = ~np.asarray(batch.x.first[0])

    def code(content, noise):
        rows = batch.minds.predictor.rows._replace(content=content)
        predictor = batch.minds.predictor._replace(rows=rows)
        minds = batch.minds._replace(predictor=predictor)
        given = batch._replace(minds=minds, noise=noise)
        return agent._rethink(state.predictor, state.policy, given).z

    content, noise = batch.minds.predictor.rows.content, batch.noise
    assert np.abs(content[mid]).max() > 0
    kept, lost = jax.jit(code)(content, noise), jax.jit(code)(0 * content, noise)
    assert np.abs(kept - lost)[:, mid].max() > 1e-6
    total = jax.jit(jax.grad(lambda c, n: code(c, n)[1:].sum(), (0, 1)))
    by_content, by_noise = total(content, noise)
    assert not np.any(by_content)
    assert np.any(by_noise[0]), "within the window the gradient passes through state and rows"


def one_step(agent, state, mind, obs, action, first=False):
    model, acting = agent.world_model(state.predictor), agent.policy(state.policy)
    obs = {name: jnp.int32(value) for name, value in obs.items()}
    x = StepInput(obs, jnp.int32(action), jnp.float32(0), jnp.array(first))
    return merlin_step(model, acting, mind, x, jnp.zeros(Z))


@pytest.fixture(scope="module")
def two_steps(agent, played):
    """The thought after `before`, then action `a`, then `after`."""
    state = played[0]

    @jax.jit
    def steps(before, action, after):
        mind = jax.tree.map(lambda a: a[0], agent.begin(state, 1))
        mind, _ = one_step(agent, state, mind, before, 0, first=True)
        return one_step(agent, state, mind, after, action)

    return steps


def test_the_prior_knows_the_action_but_not_what_it_led_to(two_steps):
    a, b, c = ({"card": i, "symbol": i % 2} for i in range(3))
    _, usual = two_steps(a, 1, b)
    _, other_after = two_steps(a, 1, c)
    _, other_action = two_steps(a, 2, b)
    _, other_before = two_steps(c, 1, b)
    close(usual.prior, other_after.prior, atol=0)
    assert np.abs(usual.posterior.mean - other_after.posterior.mean).max() > 1e-4
    for other in (other_action, other_before):
        assert np.abs(usual.prior.mean - other.prior.mean).max() > 1e-5


def test_a_step_is_written_after_it_was_read(two_steps):
    mind, thought = two_steps({"card": 0, "symbol": 1}, 4, {"card": 1, "symbol": 0})
    content = mind.predictor.rows.content
    np.testing.assert_array_equal(content[1, :Z], thought.z)
    np.testing.assert_array_equal(content[1, Z:], 0)
    np.testing.assert_allclose(content[0, Z:], 0.5 * thought.z, rtol=1e-6)
    assert np.abs(content[0, :Z]).max() > 0 and not content[2:].any()


def test_losses_are_what_they_say(agent, played, rethink):
    state, _, (batch, _) = played
    thoughts, model = rethink(batch), agent.world_model(state.predictor)
    _, metrics = jax.jit(agent._foreseen)(model, thoughts, batch)
    q, p = thoughts.posterior, thoughts.prior
    over = lambda a, b: jax.vmap(jax.vmap(kl_divergence))(Gaussian(*a), Gaussian(*b))  # noqa: E731
    np.testing.assert_allclose(metrics["kl"], np.mean(over(q, p)), rtol=1e-4)
    assert abs(metrics["kl"] - np.mean(over(p, q))) > 1e-6
    v, action = np.asarray(model_values(model, thoughts)), np.asarray(batch.action)
    hot = jax.nn.one_hot(action, ACTIONS)
    a = jax.vmap(jax.vmap(model.returns.advantage))(jnp.concatenate([thoughts.z, hot], -1))[..., 0]
    errors = 0.5 * (batch.ret - v) ** 2 + 0.5 * (batch.ret - v - a) ** 2
    np.testing.assert_allclose(metrics["returns"], errors[batch.valid].mean(), rtol=1e-4)


def model_values(model, thoughts):
    return jax.vmap(jax.vmap(model.returns.of_policy))(thoughts.z, thoughts.policy)


def test_a_code_that_says_nothing_costs_the_entropy_of_each_leaf():
    space = Dict({"a": Discrete(7), "b": Box((2,), "int8", -1.0, 1.0), "c": Box((2,))})
    decoder = Decoder(space, Discrete(4), Z, 5, key=jax.random.key(0))
    silent = jax.tree.map(jnp.zeros_like, decoder)
    obs = {"a": jnp.int32(3), "b": jnp.array([-1, 1], jnp.int8), "c": jnp.array([0.5, 0.0])}
    x = StepInput(obs, jnp.int32(2), jnp.float32(2.0), jnp.array(False))
    said = silent(jnp.ones(Z), x)
    # c: two normal numbers of deviation 1/e, of which one is half off.
    real = 2 * (0.5 * np.log(2 * np.pi) - 1) + 0.5 * (0.5 * np.e) ** 2
    np.testing.assert_allclose(said.obs, np.log(7) + 2 * np.log(3) + real, rtol=1e-5)
    np.testing.assert_allclose([said.action, said.reward], [np.log(4), 2.0], rtol=1e-6)
    assert silent(jnp.ones(Z), x._replace(first=jnp.array(True))).action == 0


def test_other_trainings_are_refused():
    with pytest.raises(MemupError, match="a memory of its own; expected 'end-to-end'"):
        memup.spec(env="memory-game-4", agent="merlin")
