"""The pendulum, step by step beside Gymnasium's Pendulum-v1, and by hand."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np

from memup.envs.pendulum import Pendulum, PendulumState

ENV = Pendulum()
KEY = jax.random.key(0)


def at(angle, speed, time=0):
    return PendulumState(jnp.int32(time), jnp.float32(angle), jnp.float32(speed))


def test_a_step_by_hand():
    """Hanging sideways, torque 1: speed 0.5 + (15 sin(pi/2) + 3) 0.05 = 1.4, angle + 0.07."""
    after, step = jax.jit(ENV.step)(at(np.pi / 2, 0.5), jnp.array([1.0]), key=KEY)
    np.testing.assert_allclose(after.speed, 1.4, rtol=1e-6)
    np.testing.assert_allclose(after.angle, np.pi / 2 + 0.07, rtol=1e-6)
    np.testing.assert_allclose(step.reward, -((np.pi / 2) ** 2 + 0.1 * 0.25 + 0.001), rtol=1e-6)
    np.testing.assert_allclose(step.obs, [-np.sin(0.07), np.cos(0.07), 1.4], rtol=1e-5)


def test_it_is_cut_after_200_actions():
    step = jax.jit(ENV.step)
    assert not step(at(0, 0, 198), jnp.zeros(1), key=KEY)[1].truncated
    last = step(at(0, 0, 199), jnp.zeros(1), key=KEY)[1]
    assert last.truncated and not last.terminated and np.isnan(last.success)


def test_the_same_as_gymnasium():
    """Also where speeds reach their bound, the angle goes round and torques are out of bounds."""
    theirs, step = gymnasium.make("Pendulum-v1").unwrapped, jax.jit(ENV.step)
    rng, furthest = np.random.default_rng(0), 0.0
    for _ in range(3):
        theirs.reset(seed=0)
        theirs.state = np.array([rng.uniform(-np.pi, np.pi), rng.uniform(-8, 8)])
        state = at(*theirs.state)
        for torque in rng.uniform(-3, 3, size=(60, 1)).astype(np.float32):
            torque = np.where(state.speed > 0, abs(torque), torque)
            state, ours = step(state, jnp.asarray(torque, jnp.float32), key=KEY)
            obs, reward, *_ = theirs.step(torque)
            np.testing.assert_allclose(ours.obs, obs, atol=2e-3)
            np.testing.assert_allclose(ours.reward, reward, atol=2e-2)
        furthest = max(furthest, abs(float(state.angle)))
    assert furthest > np.pi


def test_where_it_begins():
    states, steps = jax.vmap(lambda k: ENV.reset(key=k))(jax.random.split(KEY, 2000))
    assert -np.pi <= states.angle.min() < -3.1 and 3.1 < states.angle.max() <= np.pi
    assert -1 <= states.speed.min() < -0.98 and 0.98 < states.speed.max() <= 1
    assert steps.first.all()
