"""The cart and the pole against Gymnasium's, step by step."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from memup.envs.cartpole import CartPole, CartPoleState


def balancing(obs):
    return int(obs[2] + 0.5 * obs[3] + 0.1 * obs[0] + 0.2 * obs[1] > 0)


def test_every_step_is_gymnasium_s():
    theirs = gymnasium.make("CartPole-v1").unwrapped
    ours, key = CartPole(), jax.random.key(0)
    step = jax.jit(lambda state, action: ours.step(state, action, key=key))
    rng = np.random.default_rng(0)
    for seed in range(3):
        obs, _ = theirs.reset(seed=seed)
        state, over, steps = CartPoleState(jnp.int32(0), jnp.asarray(obs)), False, 0
        while not over:
            action = int(rng.integers(2))
            obs, reward, over, _, _ = theirs.step(action)
            state, now = step(state, action)
            np.testing.assert_allclose(now.obs, obs, atol=1e-5)
            assert bool(now.terminated) == over and float(now.reward) == reward
            steps += 1
        assert 5 < steps < 200 and now.success == 0


def test_who_balances_is_cut_after_500_actions():
    env = CartPole()
    step = jax.jit(lambda state, action: env.step(state, action, key=jax.random.key(0)))
    state, now = env.reset(key=jax.random.key(1))
    steps = 0
    while not (now.terminated or now.truncated):
        state, now = step(state, balancing(now.obs))
        steps += 1
    assert steps == 500 and now.truncated and not now.terminated and now.success == 1


def test_hidden_speeds_are_not_shown():
    key = jax.random.key(2)
    state, now = CartPole(hidden=True).reset(key=key)
    np.testing.assert_array_equal(now.obs, state.body[jnp.array([0, 2])])
    _, seen = CartPole().reset(key=key)
    np.testing.assert_array_equal(seen.obs, state.body)
    assert np.abs(seen.obs).max() <= 0.05
