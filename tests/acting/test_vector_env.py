"""The contract of a vector environment: the device and the host behave alike."""

import gymnasium
import jax
import numpy as np
import pytest

from memup.acting.make import vector_env
from memup.agents.random import RandomAgent
from memup.core.errors import MemupError
from memup.envs.adapters.gymnasium import GymnasiumVector
from memup.envs.adapters.to_gymnasium import to_gymnasium
from memup.envs.cartpole import CartPole

gymnasium.register("memup-test/OurCartPole-v0", lambda: to_gymnasium(CartPole()))
N = 3
AGENT = RandomAgent(CartPole().action_space)


@pytest.fixture(params=["device", "host"])
def env(request):
    own = CartPole() if request.param == "device" else None
    made = vector_env(own or GymnasiumVector("memup-test/OurCartPole-v0", N), N)
    yield made
    made.close()


def test_spaces_and_number_are_those_of_the_environment(env):
    assert env.n == N
    assert env.observation_space == CartPole().observation_space
    assert env.action_space == CartPole().action_space


def test_steps_have_one_form(env):
    begun = env.reset(5)
    assert begun.first.all() and not np.asarray(begun.reward).any()
    assert np.asarray(begun.obs).shape == (N, 4) and np.asarray(begun.obs).dtype == np.float32
    assert len({tuple(row) for row in np.asarray(begun.obs).tolist()}) == N
    steps = [env.step(np.ones(N, np.int32)) for _ in range(30)]
    end = np.array([s.terminated | s.truncated for s in steps])
    first = np.array([s.first for s in steps])
    np.testing.assert_array_equal(first[1:], end[:-1])
    assert end.any() and not np.array([s.reward for s in steps])[first].any()
    assert (np.array([s.reward for s in steps])[~first] == 1).all()
    kinds = {name: np.asarray(getattr(steps[0], name)).dtype.name for name in TYPES}
    assert kinds == TYPES


TYPES = {
    "reward": "float32",
    "terminated": "bool",
    "truncated": "bool",
    "first": "bool",
    "success": "float32",
}


def test_the_seed_determines_everything(env):
    def play(seed):
        return np.array(
            [env.reset(seed).obs] + [env.step(np.array([0, 1, 0])).obs for _ in range(15)]
        )

    np.testing.assert_array_equal(play(1), play(1))
    assert not np.array_equal(play(1), play(2))


def test_dynamics_are_those_of_the_environment(env):
    begun = np.asarray(env.reset(3).obs)
    seen = np.asarray(env.step(np.array([0, 1, 1])).obs)
    for before, action, after in zip(begun, [0, 1, 1], seen, strict=True):
        from memup.envs.cartpole import CartPoleState

        state = CartPoleState(jax.numpy.int32(0), jax.numpy.asarray(before))
        _, step = CartPole().step(state, action, key=jax.random.key(0))
        np.testing.assert_allclose(step.obs, after, rtol=1e-5, atol=1e-7)


def test_a_rollout_goes_on_where_the_last_one_ended(env):
    carry = env.begin(AGENT, (), key=jax.random.key(1))
    carry, one = env.rollout(AGENT, (), carry, 12, key=jax.random.key(2))
    carry, two = env.rollout(AGENT, (), carry, 12, key=jax.random.key(3))
    np.testing.assert_array_equal(one.last.obs, two.step.obs[0])
    np.testing.assert_array_equal(carry.step.obs, two.last.obs)
    assert one.action.shape == (12, N) and one.step.obs.shape == (12, N, 4)
    assert 0 < one.action.mean() < 1
    drawn = np.asarray(one.action).ravel().tolist(), np.asarray(two.action).ravel().tolist()
    assert drawn[0] != drawn[1]


def test_whole_episodes_end_where_the_last_copy_does(env):
    carry = env.begin(AGENT, (), key=jax.random.key(1))
    _, stats, kept = env.play_whole(AGENT, (), carry, env.stats(2), 400, key=jax.random.key(2))
    lengths = np.asarray(stats.lengths)
    assert stats.over.all() and (lengths > 4).all()
    counted = np.asarray(kept.counted).sum(axis=0)
    np.testing.assert_array_equal(counted, lengths.sum(axis=1) + 2)
    assert kept.steps == len(kept.action) == counted.max()
    np.testing.assert_array_equal(stats.returns, lengths)


def test_playing_on_is_greedy_and_stops_where_told(env):
    carry = env.begin(AGENT, (), key=jax.random.key(1))
    carry, some = env.play_on(AGENT, (), carry, env.stats(), 4, key=jax.random.key(2))
    assert some.running_length.tolist() == [4] * N
    _, all_ = env.play_on(AGENT, (), carry, some, 1000, key=jax.random.key(2))
    assert all_.over.all() and (np.asarray(all_.lengths) > 4).all()


def test_training_learns_from_consecutive_rollouts(env):
    def learn(state, trajectory, key):
        return state + trajectory.step.reward.sum(), {"steps": trajectory.step.reward.size}

    training = env.training(AGENT, learn, 8)
    work = jax.numpy.zeros(()), env.begin(AGENT, (), key=jax.random.key(0)), env.stats(4)
    (paid, carry, stats), metrics = training(work, jax.random.key(1))
    assert np.asarray(metrics["steps"]).tolist() == [8 * N] * training.iterations
    assert training.compile_s > 0 and 0 < paid <= training.iterations * 8 * N
    assert carry.step.obs.shape == (N, 4) and stats.ended.shape == (N,)


def test_a_snapshot_brings_all_back_or_is_refused(env):
    env.reset(1)
    env.step(np.array([1, 1, 1]))
    if not env.restorable:
        with pytest.raises(MemupError, match="cannot be saved"):
            env.snapshot()
        return
    kept = env.snapshot()
    one = [env.step(np.array([1, 0, 1])).obs for _ in range(25)]
    env.restore(kept)
    np.testing.assert_array_equal(one, [env.step(np.array([1, 0, 1])).obs for _ in range(25)])


def test_a_closed_one_can_be_begun_again(env):
    one = np.asarray(env.reset(2).obs)
    env.close()
    env.close()
    np.testing.assert_array_equal(one, env.reset(2).obs)
