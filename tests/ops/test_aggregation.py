"""Running sums, maxima and means by hand, and what their gradients let through."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from memup.ops.aggregation import (
    mean,
    mean_straight_through,
    running_max,
    running_max_straight_through,
    running_sum,
)

XS = jnp.array([[1.0, -2.0], [3.0, -1.0], [2.0, 4.0], [-5.0, -3.0], [0.5, -4.0]])
BEGIN = jnp.array([2.0, 0.0])
NONE, THIRD = jnp.zeros(5, bool), jnp.array([False, False, False, True, False])
MAXIMA = [running_max, running_max_straight_through]
MEANS = [mean, mean_straight_through]


def column(ys, i=0):
    return np.asarray(ys)[:, i].tolist()


def test_a_sum_begins_anew_where_an_episode_does():
    sums = running_sum(BEGIN, XS, THIRD)
    assert column(sums) == [3, 6, 8, -5, -4.5] and column(sums, 1) == [-2, -3, 1, -3, -7]


@pytest.mark.parametrize("maximum", MAXIMA)
def test_a_maximum_is_never_below_zero_and_begins_anew(maximum):
    assert column(maximum(BEGIN, XS, NONE)) == [2, 3, 3, 3, 3]
    assert column(maximum(BEGIN, XS, THIRD)) == [2, 3, 3, 0, 0.5]
    assert column(maximum(BEGIN, XS, THIRD), 1) == [0, 0, 4, 0, 0]


@pytest.mark.parametrize("divide", MEANS)
def test_a_mean_is_the_total_by_the_count(divide):
    totals = jnp.array([[3.0, 1.0], [8.0, -2.0], [0.0, 0.0]])
    np.testing.assert_allclose(
        divide(totals, jnp.array([1.0, 4.0, 0.0])), [[3, 1], [2, -0.5], [0, 0]]
    )


@pytest.mark.parametrize("run", [running_sum, *MAXIMA])
def test_what_was_before_an_episode_does_not_pass(run):
    first = jnp.array([True, False, False, True, False])
    broken, zero = jnp.full(2, jnp.nan), jnp.zeros(2)
    np.testing.assert_array_equal(run(broken, XS, first), run(zero, XS, first))
    slope = jax.grad(lambda xs: jnp.sum(run(broken, xs, first)))(XS)
    np.testing.assert_array_equal(slope, jax.grad(lambda xs: jnp.sum(run(zero, xs, first)))(XS))


def slopes(maximum, begin, at):
    """The gradient of the value at step `at`, first column."""
    of = jax.grad(lambda begin, xs: maximum(begin, xs, THIRD)[at, 0], (0, 1))(begin, XS)
    return of[0][0].item(), column(of[1])


def test_the_largest_alone_has_the_gradient_of_a_maximum():
    assert slopes(running_max, BEGIN, 2) == (0, [0, 1, 0, 0, 0])


def test_straight_through_all_steps_of_the_episode_have_it():
    assert slopes(running_max_straight_through, BEGIN, 2) == (1, [1, 1, 1, 0, 0])
    assert slopes(running_max_straight_through, BEGIN, 4) == (0, [0, 0, 0, 1, 1])


def test_straight_through_a_mean_has_the_gradient_of_the_total():
    totals, count = jnp.ones((1, 1)), jnp.array([4.0])
    assert jax.grad(lambda t: mean(t, count).sum())(totals).item() == 0.25
    assert jax.grad(lambda t: mean_straight_through(t, count).sum())(totals).item() == 1
    assert jax.grad(lambda c: mean(totals, c).sum())(count).item() == -1 / 16
    assert jax.grad(lambda c: mean_straight_through(totals, c).sum())(count).item() == 0


@pytest.mark.parametrize("run", [running_sum, running_max])
def test_the_gradient_is_the_slope(run):
    with jax.enable_x64(True):
        values = jax.tree.map(lambda a: jnp.asarray(a, jnp.float64), (BEGIN, XS + 0.25))
        check_grads(jax.jit(lambda begin, xs: run(begin, xs, THIRD)), values, order=2)


def test_rules_hold_under_vmap_scan_and_double_precision():
    with jax.enable_x64(True):
        begin, xs = (jnp.stack([a, -a]).astype(jnp.float64) for a in (BEGIN, XS))
        first = jnp.stack([NONE, THIRD])

        def total(xs):
            def body(begin, _):
                ys = jax.vmap(running_max_straight_through)(begin, xs, first)
                means = jax.vmap(mean_straight_through)(ys, jnp.full((2, 5), 2.0))
                return ys[:, -1], means

            return jnp.sum(jax.lax.scan(body, begin, length=3)[1])

        slope = jax.jit(jax.grad(total))(xs)
    # In each of three passes a step counts for itself and those after it. In row 0 it then counts
    # for the five of every later pass; in row 1 the start at step 3 cuts the first three off, and
    # lets the others reach three steps of the next pass.
    assert slope.dtype == np.float64
    assert column(slope[0]) == [30, 27, 24, 21, 18]
    assert column(slope[1]) == [9, 6, 3, 12, 9]
