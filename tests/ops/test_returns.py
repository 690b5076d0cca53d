"""Advantages and n-step returns by hand and against rlax."""

import jax
import jax.numpy as jnp
import numpy as np

from memup.ops.returns import generalised_advantage, n_step_returns

advantages = jax.jit(generalised_advantage)
RNG = np.random.default_rng(0)


def gae(r, d, v, last, lam):
    r, d, v, v_t = (np.asarray(x, np.float32) for x in (r, d, v, [*v[1:], last]))
    return advantages(r, d, v, v_t, np.full(len(r), lam, np.float32))


def test_by_hand():
    # delta = [1 + 0.5*2 - 1, 0 + 0.5*4 - 2, 3 + 0.5*6 - 4] = [1, 0, 2], decay 0.25
    advantage = gae([1, 0, 3], [0.5] * 3, [1, 2, 4], 6.0, 0.5)
    np.testing.assert_allclose(advantage, [1 + 0.25 * 0.5, 0.5, 2.0])


def test_terminated_and_truncated_differ():
    values, v_t = np.float32([1.0, 2.0]), np.float32([2.0, 10.0])
    terminated = advantages(
        np.float32([0.0, 1.0]), np.float32([0.9, 0.0]), values, v_t, np.float32([0.8, 0.0])
    )
    truncated = advantages(
        np.float32([0.0, 1.0]), np.float32([0.9, 0.9]), values, v_t, np.float32([0.8, 0.0])
    )
    np.testing.assert_allclose(terminated, [0.8 + 0.72 * -1, -1.0], rtol=1e-6)
    np.testing.assert_allclose(truncated, [0.8 + 0.72 * 8, 8.0], rtol=1e-6)


def test_a_cut_trace_stops_what_comes_later():
    def advantage(later):
        r = jnp.array([0.0, 0.0, later])
        trace = jnp.array([0.9, 0.0, 0.9])
        return generalised_advantage(r, jnp.full(3, 0.9), jnp.zeros(3), jnp.zeros(3), trace)

    assert advantage(7.0)[:2].tolist() == [0, 0] and advantage(7.0)[2] == 7
    assert jax.jacobian(advantage)(1.0).tolist() == [0, 0, 1]


def test_equals_rlax():
    import rlax

    r, v = RNG.normal(size=20).astype(np.float32), RNG.normal(size=21).astype(np.float32)
    d = (0.9 * (RNG.random(20) < 0.8)).astype(np.float32)
    expected = jax.jit(rlax.truncated_generalized_advantage_estimation)(r, d, 0.7, v)
    np.testing.assert_allclose(gae(r, d, v[:-1], v[-1], 0.7), expected, rtol=1e-4, atol=1e-5)


def test_split_in_two():
    """With lambda 1 the first half needs only what the second half says about its start."""
    r, v, d = RNG.normal(size=8), RNG.normal(size=9), np.full(8, 0.9)
    whole = gae(r, d, v[:-1], v[-1], 1.0)
    second = gae(r[4:], d[4:], v[4:-1], v[-1], 1.0)
    np.testing.assert_allclose(second, whole[4:], rtol=1e-5)
    first = gae(r[:4], d[:4], v[:4], v[4] + second[0], 1.0)
    np.testing.assert_allclose(first, whole[:4], rtol=1e-4, atol=1e-5)


def n_steps(r, d, v_t, goes_on, n):
    r, d, v_t = (np.asarray(x, np.float32) for x in (r, d, v_t))
    return jax.jit(n_step_returns, static_argnums=4)(r, d, v_t, np.asarray(goes_on), n)


def test_n_step_returns_by_hand():
    # Two steps: r0 + r1/2 + v2/4, and at the end only one is left: r2 + v3/2.
    returns = n_steps([1, 2, 3], [0.5] * 3, [10, 20, 40], [True, True, False], 2)
    np.testing.assert_allclose(returns, [1 + 1 + 5, 2 + 1.5 + 10, 3 + 20])


def test_n_step_returns_end_with_the_episode():
    """The second transition ends an episode; the third is the reset."""
    for discount, bootstrap in ((0.0, 0.0), (0.5, 10.0)):
        discounts, goes_on = [0.5, discount, 0.0, 0.5], [True, False, True, False]
        returns = n_steps([1, 2, 0, 3], discounts, [9, 20, 7, 40], goes_on, 3)
        one = 2 + bootstrap
        np.testing.assert_allclose(returns, [1 + one / 2, one, 0, 23])


def test_n_step_returns_equal_rlax():
    import rlax

    r, v = RNG.normal(size=20).astype(np.float32), RNG.normal(size=20).astype(np.float32)
    d = (0.9 * (RNG.random(20) < 0.8)).astype(np.float32)
    expected = jax.jit(rlax.n_step_bootstrapped_returns, static_argnums=3)(r, d, v, 5)
    np.testing.assert_allclose(
        n_steps(r, d, v, np.ones(20, bool), 5), expected, rtol=1e-4, atol=1e-5
    )
