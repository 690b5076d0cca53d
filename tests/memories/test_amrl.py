"""AMRL by hand, and the gradient that it keeps where an LSTM's is gone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.amrl import AMRLAvg, AMRLMax
from memup.memories.lstm import LSTM

KINDS = [AMRLMax, AMRLAvg]
INPUT, SIZE, LONG = 3, 16, 100


def outputs(memory, xs, first=None, state=None):
    first = jnp.zeros(len(xs), bool) if first is None else first
    return memory.unroll(memory.initial_state() if state is None else state, xs, first)


def by_hand(memory):
    """Two units without recurrence: i and o all but open, f closed, h = tanh(tanh(x))."""
    bias = jnp.repeat(jnp.array([40.0, -40.0, 0.0, 40.0]), 2)
    weight_x = jnp.zeros((1, 8)).at[0, 4:6].set(1.0)
    layer = eqx.tree_at(
        lambda m: (m.weight_x, m.weight_h, m.bias),
        memory.layer,
        (weight_x, jnp.zeros((2, 8)), bias),
    )
    return eqx.tree_at(lambda m: m.layer, memory, layer)


@pytest.mark.parametrize("straight_through", [True, False])
@pytest.mark.parametrize(
    ("kind", "expected"),
    [(AMRLMax, [0, 0.5, 0.5, 0.2, 0.2]), (AMRLAvg, [-0.4, 0.05, 0.1, 0.2, -0.05])],
)
def test_values_by_hand_with_a_start_inside(key, kind, expected, straight_through):
    memory = by_hand(kind(1, 2, 1.0, 0, straight_through, key=key))
    h = jnp.array([-0.4, 0.5, 0.2, 0.2, -0.3])
    xs = jnp.arctanh(jnp.arctanh(h))[:, None]
    first = jnp.array([False, False, False, True, False])
    state, ys = outputs(memory, xs, first)
    np.testing.assert_allclose(ys[:, 0], h, rtol=1e-5)
    np.testing.assert_allclose(ys[:, 1], expected, rtol=1e-5, atol=1e-6)
    aggregate = {AMRLMax: (0.2,), AMRLAvg: (-0.1, 2.0)}[kind]
    for leaf, value in zip(state[1], aggregate, strict=True):
        np.testing.assert_allclose(leaf, jnp.full_like(leaf, value), rtol=1e-5)


def far_by_near(memory, seed):
    """|dy_T/dx_1| / |dy_1/dx_1| in Frobenius norms."""
    xs = jax.random.normal(jax.random.key(seed), (LONG, INPUT))

    @jax.jit
    def jacobian(x):
        ys = jax.jacfwd(lambda x: outputs(memory, xs.at[0].set(x))[1])(x)
        return ys[0], ys[-1]

    near, far = jacobian(xs[0])
    return float(jnp.linalg.norm(far) / jnp.linalg.norm(near))


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_does_not_fade(seed):
    settings = {"forget_bias": 1.0, "timescale": 0, "key": jax.random.key(seed)}
    for kind in KINDS:
        assert far_by_near(kind(INPUT, SIZE, straight_through=True, **settings), seed) >= 0.5
    assert far_by_near(LSTM(INPUT, SIZE, 1, **settings), seed) < 1e-3


def test_without_straight_through_a_mean_divides_it(key):
    """Then y_T sees step 1 as y_T with the flag does, divided by T."""
    memory, plain = (AMRLAvg(INPUT, SIZE, 1.0, 0, s, key=key) for s in (True, False))
    xs = jax.random.normal(key, (LONG, INPUT))

    def slope(memory):
        return jax.grad(lambda xs: outputs(memory, xs)[1][-1, SIZE // 2 :].sum())(xs)[0]

    np.testing.assert_allclose(slope(plain), slope(memory) / LONG, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_the_flag_does_not_change_values(key, kind):
    xs = jax.random.normal(key, (20, INPUT))
    first = jnp.zeros(20, bool).at[7].set(True)
    with_it, without = (kind(INPUT, SIZE, 1.0, 0, s, key=key) for s in (True, False))
    jax.tree.map(
        np.testing.assert_array_equal, outputs(with_it, xs, first), outputs(without, xs, first)
    )


@pytest.mark.parametrize("kind", KINDS)
def test_an_odd_size_is_a_clear_error(key, kind):
    with pytest.raises(MemupError, match=r"memory\.size=5: expected an even number"):
        kind(INPUT, 5, 1.0, 0, True, key=key)
