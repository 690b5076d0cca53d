"""Likelihoods against scipy and hand numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from memup.nn.likelihood import Categorical, Normal, Quantile, from_description, suit

FAMILIES = [
    Categorical(((-3.0, 0.0, 4.0), (0.0, 1.0, 1.0))),
    Normal((1.0, -2.0), (2.0, 0.5)),
    Quantile(0.5, 2.0, count=8),
]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: type(f).__name__)
def test_contract(family):
    @jax.jit
    def everything(p, y):
        far = jax.grad(family.nll)(1e4 * p, 1e3 + y)
        return family.nll(p, y), family.spread(p), family.mode(p), far

    p = np.random.default_rng(3).normal(size=family.size).astype(np.float32)
    nll, spread, mode, gradient = everything(p, np.zeros(family.outcomes, np.float32))
    assert nll.shape == () == spread.shape and mode.shape == (family.outcomes,)
    assert spread >= 0 and np.isfinite(gradient).all()
    assert from_description(family.describe()) == family


def test_categorical_is_cross_entropy_and_entropy():
    family, logits = Categorical(((-3.0, 0.0, 4.0),)), jnp.array([0.5, -1.0, 2.0])
    probs = special.softmax(np.asarray(logits))
    for i, value in enumerate((-3.0, 0.0, 4.0)):
        nll = family.nll(logits, jnp.array([value]))
        np.testing.assert_allclose(nll, -np.log(probs[i]), rtol=1e-5)
    np.testing.assert_allclose(family.spread(logits), stats.entropy(probs), rtol=1e-5)
    assert family.mode(logits).tolist() == [4.0]
    np.testing.assert_allclose(family.spread(jnp.zeros(3)), np.log(3), rtol=1e-6)
    np.testing.assert_allclose(family.spread(jnp.array([100.0, 0, 0])), 0.0, atol=1e-6)


def test_categorical_adds_up_over_the_numbers():
    family = Categorical(((0.0, 1.0), (5.0, 7.0)))
    logits = jnp.array([2.0, -1.0, 0.3, 0.4])
    parts = special.log_softmax(np.asarray(logits).reshape(2, 2), axis=1)
    nll = family.nll(logits, jnp.array([1.0, 5.0]))
    np.testing.assert_allclose(nll, -parts[0, 1] - parts[1, 0], rtol=1e-5)
    assert family.mode(logits).tolist() == [0.0, 7.0]


def test_normal_is_a_density_in_units_of_the_data():
    family = Normal((1.0,), (2.0,))
    p = jnp.array([0.3, 0.6])
    mean, std = 1 + 2 * 0.3, 2 * np.exp(3 * np.tanh(0.6 / 3) - 1)
    for y in (-4.0, 1.0, 2.5):
        expected = -stats.norm.logpdf(y, mean, std)
        np.testing.assert_allclose(family.nll(p, jnp.array([y])), expected, rtol=1e-5)
    np.testing.assert_allclose(family.mode(p), [mean], rtol=1e-6)
    wider = family.spread(jnp.array([0.3, 1.6])) - family.spread(p)
    entropy = [stats.norm.entropy(0, np.exp(3 * np.tanh(r / 3) - 1)) for r in (1.6, 0.6)]
    np.testing.assert_allclose(wider, entropy[0] - entropy[1], rtol=1e-5)


def test_normal_never_becomes_infinitely_sharp():
    family = Normal((0.0,), (1.0,))
    best = family.nll(jnp.array([0.0, -1e6]), jnp.array([0.0]))
    np.testing.assert_allclose(best, -4 + 0.5 * np.log(2 * np.pi), rtol=1e-6)


def test_quantile_huber_by_hand():
    family = Quantile(0.0, 1.0, count=2)
    p = jnp.array([0.0, 3.0])  # levels 1/4 and 3/4
    # y = 0.5: deltas 0.5 (square) and -2.5 (linear): 0.25 * 0.125 + 0.25 * 2.0
    np.testing.assert_allclose(family.nll(p, jnp.array([0.5])), 0.53125, rtol=1e-6)
    assert family.spread(p) == 1.5 and family.mode(p).tolist() == [1.5]
    assert Quantile(1.0, 4.0, count=2).spread(p) == 6.0
    assert Quantile(1.0, 4.0, count=2).mode(p).tolist() == [7.0]


def test_quantiles_that_fit_have_the_smallest_loss():
    family = Quantile(0.0, 1.0, count=4, kappa=0.01)
    y = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    right = stats.norm.ppf((np.arange(4) + 0.5) / 4)
    loss = lambda p: jnp.mean(jax.vmap(lambda v: family.nll(p, v[None]))(jnp.asarray(y)))  # noqa: E731
    best = loss(jnp.asarray(right, jnp.float32))
    for other in (right + 0.2, right * 1.3, right[::-1].copy()):
        assert loss(jnp.asarray(other, jnp.float32)) > best


def test_suit():
    rewards = np.array([[-3.0], [0.0], [4.0], [4.0]], np.float32)
    assert suit(rewards) == Categorical(((-3.0, 0.0, 4.0),))
    many = np.arange(17, dtype=np.float32)[:, None]
    assert isinstance(suit(many), Normal) and suit(many[:16]).size == 16
    assert isinstance(suit(many, "categorical"), Categorical)
    normal = suit(rewards, "normal")
    np.testing.assert_allclose(normal.shift + normal.scale, [1.25, np.std([-3, 0, 4, 4])])
    quantile = suit(rewards, "quantile")
    assert (quantile.size, quantile.shift) == (200, 1.25)
    # Numbers with fewer values than others repeat one of theirs, which is never chosen wrongly.
    two = suit(np.array([[0.0, 5.0], [1.0, 5.0]], np.float32))
    assert two == Categorical(((0.0, 1.0), (5.0, 5.0)))
    assert two.mode(jnp.array([0.0, 1.0, 0.0, 9.0])).tolist() == [1.0, 5.0]


def test_suit_of_constant_data_is_finite():
    family = suit(np.full((5, 1), 3.0, np.float32), "normal")
    assert family.scale == (1.0,) and jnp.isfinite(family.nll(jnp.zeros(2), jnp.array([3.0])))
