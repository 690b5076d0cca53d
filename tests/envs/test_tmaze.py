"""The numbers of the T-Maze that MemUP was measured on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.envs.tmaze import TMaze

EPISODES = 2048


def play(env, policy, steps, episodes=EPISODES, seed=0):
    """Episodes played to their end and beyond: leaves [steps + 1, episodes, ...].

    policy(obs, hint, key) -> action, where hint is the secret of the state.
    """

    def one(key):
        key, reset_key = jax.random.split(key)
        state, first = env.reset(key=reset_key)

        def body(carry, key):
            state, step = carry
            policy_key, env_key = jax.random.split(key)
            action = policy(step.obs, state.hint, policy_key)
            after = env.step(state, action, key=env_key)
            return after, after[1]

        _, rest = jax.lax.scan(body, (state, first), jax.random.split(key, steps))
        return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, rest)

    keys = jax.random.split(jax.random.key(seed), episodes)
    out = jax.jit(jax.vmap(one, out_axes=1))(keys)
    return jax.tree.map(np.asarray, out)


def random_policy(obs, hint, key):
    return jax.random.bits(key, (), jnp.uint8) & 1


def perfect_policy(obs, hint, key):
    return (hint > 0).astype(jnp.int32)


@pytest.fixture(scope="module")
def random_play():
    steps = play(TMaze(20), random_policy, 31)
    return steps, steps.terminated.argmax(axis=0)


def test_length_is_uniform_over_eleven_values(random_play):
    _, end = random_play
    counts = np.bincount(end, minlength=31)[20:]
    assert counts.sum() == EPISODES and len(counts) == 11
    assert np.abs(counts - EPISODES / 11).max() < 5 * np.sqrt(EPISODES / 11)


def test_random_policy_earns_a_half_with_variance_twelve(random_play):
    steps, end = random_play
    final = steps.reward[end, np.arange(EPISODES)]
    assert set(final.tolist()) == {4.0, -3.0}
    assert abs(final.mean() - 0.5) < 4 * 3.5 / np.sqrt(EPISODES)
    assert abs(final.var() - 12.25) < 0.2


def test_observations_are_those_of_the_reference(random_play):
    steps, end = random_play
    time = np.arange(32)[:, None]
    hint, junction, noise = np.moveaxis(steps.obs, -1, 0)
    assert set(hint[0].tolist()) == {-1, 1} and not hint[1:].any()
    assert abs(hint[0].mean()) < 0.1
    alive = time < end
    np.testing.assert_array_equal((junction == 1)[:31], (time == end - 1)[:31])
    assert (np.abs(noise) == 1)[alive].all()
    assert abs(noise[alive].mean()) < 0.03
    assert abs(np.mean(noise[:19] * noise[1:20])) < 0.03
    assert not steps.obs[end, np.arange(EPISODES)].any()
    assert not steps.reward[alive].any() and steps.first[0].all() and not steps.first[1:].any()
    assert not steps.truncated.any()


def test_success_is_a_last_reward_of_four(random_play):
    steps, end = random_play
    rows = np.arange(EPISODES)
    np.testing.assert_array_equal(steps.success[end, rows], steps.reward[end, rows] == 4)


@pytest.mark.parametrize("mode", ["L", "LR", "LN", "LNR"])
def test_perfect_policy_earns_four_in_every_mode(mode):
    steps = play(TMaze(5, mode), perfect_policy, 16, episodes=64)
    end = steps.terminated.argmax(axis=0)
    rows = np.arange(64)
    assert (steps.reward[end, rows] == 4).all() and (steps.success[end, rows] == 1).all()
    assert (len(set(end.tolist())) > 1) == ("R" in mode)
    assert "R" in mode or (end == 5).all()
    assert steps.obs[1:4, :, 2].any() == ("N" in mode)


def test_stepping_mode_waits_until_the_noise_is_repeated():
    env = TMaze(4, "LS")

    def repeat(obs, hint, key):
        return jnp.where(obs[1] == 1, hint > 0, obs[2] > 0).astype(jnp.int32)

    steps = play(env, repeat, 4, episodes=64)
    assert steps.terminated[4].all() and (steps.reward[4] == 4).all()

    state, step = env.reset(key=jax.random.key(1))
    wrong = jnp.int32(step.obs[2] < 0)
    _, again = env.step(state, wrong, key=jax.random.key(2))
    np.testing.assert_array_equal(step.obs, again.obs)
    assert not again.first and again.reward == 0


def test_hint_anywhere_comes_once_in_the_first_half():
    steps = play(TMaze(20, "LNR", "anywhere"), perfect_policy, 31)
    end = steps.terminated.argmax(axis=0)
    hint = steps.obs[..., 0]
    assert (np.abs(hint).sum(axis=0) == 1).all()
    at = np.abs(hint).argmax(axis=0)
    assert at.min() == 0 and (at < end // 2).all() and (at == end // 2 - 1).any()
    assert (steps.reward[end, np.arange(EPISODES)] == 4).all()


def test_shortest_maze_is_one_step():
    steps = play(TMaze(1, "LN"), perfect_policy, 1, episodes=8)
    assert (steps.obs[0, :, 1] == 1).all() and (np.abs(steps.obs[0, :, 0]) == 1).all()
    assert (steps.reward[1] == 4).all()


def test_bad_settings_are_one_clear_line():
    for wrong in [(0,), (5, "LX"), (5, "LN", "nowhere")]:
        with pytest.raises(MemupError):
            TMaze(*wrong)
