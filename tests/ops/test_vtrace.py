"""V-trace by hand, against rlax, and at its fixed point."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.ops.returns import n_step_returns
from memup.ops.vtrace import vtrace

RNG = np.random.default_rng(0)


def sequence(length):
    """Ratios, rewards, discounts (one terminal) and values of a sequence."""
    ratio = np.exp(RNG.normal(size=length)).astype(np.float32)
    reward = RNG.normal(size=length).astype(np.float32)
    discount = np.full(length, 0.9, np.float32)
    discount[length // 2] = 0.0
    v = RNG.normal(size=length + 1).astype(np.float32)
    return ratio, reward, discount, v[:-1], v[1:]


def test_by_hand():
    # delta = [1 + 2/2 - 1, (0 + 4/2 - 2) / 2, 3 + 6/2 - 4] = [1, 0, 2], decay [1/2, 1/4, 1/2]
    out = vtrace(
        jnp.array([3.0, 0.5, 1.0]),
        jnp.array([1.0, 0.0, 3.0]),
        jnp.full(3, 0.5),
        jnp.array([1.0, 2.0, 4.0]),
        jnp.array([2.0, 4.0, 6.0]),
    )
    np.testing.assert_allclose(out.value, [1 + 1 + 0.5 * 0.5, 2 + 0.25 * 2, 4 + 2])
    np.testing.assert_allclose(
        out.advantage, [1 + 0.5 * 2.5 - 1, 0.5 * (0 + 0.5 * 6 - 2), 3 + 0.5 * 6 - 4]
    )


def test_on_policy_it_is_the_n_step_return():
    _, reward, discount, v_tm1, v_t = sequence(7)
    out = jax.jit(vtrace)(jnp.ones(7), reward, discount, v_tm1, v_t)
    returns, after = [], v_t[-1]
    for r, d in zip(reward[::-1], discount[::-1], strict=True):
        after = r + d * after
        returns.append(after)
    np.testing.assert_allclose(out.value, returns[::-1], rtol=1e-5)
    np.testing.assert_allclose(out.advantage, returns[::-1] - v_tm1, rtol=1e-4, atol=1e-5)
    n_step = n_step_returns(*map(jnp.asarray, (reward, discount, v_t)), jnp.ones(7, bool), 7)
    np.testing.assert_allclose(out.value, n_step, rtol=1e-5)


@pytest.mark.parametrize("rho, c_is_one, trace", [(1.0, True, 1.0), (2.0, True, 0.7)])
def test_equals_rlax(rho, c_is_one, trace):
    import rlax

    ratio, reward, discount, v_tm1, v_t = sequence(20)
    out = jax.jit(partial(vtrace, rho=rho, trace=trace))(ratio, reward, discount, v_tm1, v_t)
    errors = rlax.vtrace(v_tm1, v_t, reward, discount, ratio, lambda_=trace, clip_rho_threshold=rho)
    np.testing.assert_allclose(out.value - v_tm1, errors, rtol=1e-4, atol=1e-5)
    if trace == 1.0:
        full = rlax.vtrace_td_error_and_advantage(v_tm1, v_t, reward, discount, ratio)
        np.testing.assert_allclose(out.advantage, full.pg_advantage, rtol=1e-4, atol=1e-5)


def test_an_end_that_is_no_transition_cuts_what_comes_later():
    """A ratio of 0 keeps the value there: a truncated episode is bootstrapped from it."""
    ratio, reward, discount = jnp.array([1.0, 0.0, 1.0]), jnp.array([1.0, 0.0, 9.0]), jnp.ones(3)
    out = vtrace(ratio, reward, discount, jnp.array([0.0, 5.0, 0.0]), jnp.array([5.0, 0.0, 7.0]))
    np.testing.assert_allclose(out.value, [1 + 5, 5, 16])
    np.testing.assert_allclose(out.advantage, [6, 0, 16])


def test_off_policy_it_converges_to_the_clipped_policys_values():
    """V of pi_rho, the fixed point of the paper's section 4.1, on a chain of three states.

    pi_rho(a|x) is proportional to min(rho mu(a|x), pi(a|x)). Action 1 moves on, 0 stays; the third
    state is the last; rewards depend on state and action.
    """
    mu = np.array([[0.5, 0.5], [0.8, 0.2], [0.3, 0.7]])
    pi = np.array([[0.1, 0.9], [0.4, 0.6], [0.9, 0.1]])
    reward = np.array([[1.0, -1.0], [0.5, 2.0], [0.0, 3.0]])
    gamma, rho = 0.9, 1.0
    clipped = np.minimum(rho * mu, pi)
    clipped /= clipped.sum(axis=1, keepdims=True)
    move = np.zeros((3, 3))
    for x in range(3):
        move[x, x] += clipped[x, 0]
        if x < 2:
            move[x, x + 1] += clipped[x, 1]
    fixed = np.linalg.solve(np.eye(3) - gamma * move, (clipped * reward).sum(axis=1))

    # Expected update of one step under mu, over all states and actions.
    states, actions = np.repeat(np.arange(3), 2), np.tile([0, 1], 3)
    weight = jnp.asarray(mu[states, actions], jnp.float32)
    ratio = jnp.asarray(pi[states, actions] / mu[states, actions], jnp.float32)
    r = jnp.asarray(reward[states, actions], jnp.float32)
    over = (states == 2) & (actions == 1)
    discount = jnp.where(over, 0.0, gamma)
    after = jnp.asarray(np.minimum(states + actions, 2))

    @jax.jit
    def sweep(v, _):
        one = lambda k, r, d, v0, v1: vtrace(k[None], r[None], d[None], v0[None], v1[None]).value[0]  # noqa: E731
        aim = jax.vmap(one)(ratio, r, discount, v[states], v[after])
        return v + 0.5 * jnp.zeros(3).at[states].add(weight * (aim - v[states])), None

    v, _ = jax.lax.scan(sweep, jnp.zeros(3), length=400)
    np.testing.assert_allclose(v, fixed, rtol=1e-4)
    on_pi = np.linalg.solve(
        np.eye(3) - gamma * np.array([[0.1, 0.9, 0], [0, 0.4, 0.6], [0, 0, 0.9]]),
        (pi * reward).sum(axis=1),
    )
    assert np.abs(fixed - on_pi).max() > 0.1, "another policy's values than those of pi"
