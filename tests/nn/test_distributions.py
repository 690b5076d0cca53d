"""Distributions against scipy, quadrature and hand numbers; one contract for every family."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import special, stats

from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple
from memup.nn.distributions import (
    Finite,
    Normal,
    Quantile,
    distribution_of,
    from_description,
    numbered,
    suit,
)

SPACES = {
    "discrete": Discrete(3),
    "multi-discrete": MultiDiscrete((2, 3, 4)),
    "multi-binary": MultiBinary(4),
    "bounded box": Box((2, 2), low=(-1.0, 0.0, -5.0, 2.0), high=(1.0, 2.0, 7.0, 2.5)),
    "half-bounded box": Box((3,), low=(0.0, -np.inf, -np.inf), high=(np.inf, 1.0, np.inf)),
    "box of integers": Box((2,), "int32", -2, 3),
    "tree": Dict(
        {"move": Box((2,), low=-2.0, high=2.0), "say": Tuple((Discrete(3), MultiBinary(2)))}
    ),
}
FAMILIES = {
    "finite": Finite(((-3.0, 0.0, 4.0), (0.0, 1.0, 1.0))),
    "normal": Normal((1.0, -2.0), (2.0, 0.5)),
    "quantile": Quantile(0.5, 2.0, count=8),
    "image": distribution_of(Box((2, 2), "uint8", 0, 255), squash=False),
    **{name: distribution_of(space) for name, space in SPACES.items()},
}
MANY = 20_000


def some_params(family, seed=3):
    return np.random.default_rng(seed).normal(size=family.param_size).astype(np.float32)


@pytest.fixture(params=sorted(FAMILIES))
def family(request):
    return FAMILIES[request.param]


def test_contract(family):
    p = jnp.asarray(some_params(family))

    @jax.jit
    def everything(p, key):
        y = family.sample(p, key=key)
        far = jax.grad(lambda p: family.loss(1e4 * p, y))(p)
        numbers = family.log_prob(p, y), family.entropy(p), family.potential(p), family.loss(p, y)
        return y, family.mode(p), family.mean(p), family.encode(y), numbers, far

    y, mode, mean, code, numbers, far = everything(p, jax.random.key(0))
    kinds = lambda tree: jax.tree.map(lambda a: (a.shape, a.dtype), tree)  # noqa: E731
    assert kinds(y) == kinds(mode)
    assert jax.tree.map(jnp.shape, mean) == jax.tree.map(jnp.shape, y)
    assert code.shape == (family.encoded_size,) and code.dtype == jnp.float32
    assert all(n.shape == () and jnp.isfinite(n) for n in numbers)
    assert numbers[2] >= 0, "a potential is never negative"
    assert jnp.isfinite(far).all(), "no parameters send the gradient to infinity"
    # Leading axes pass through, and give the same numbers.
    rows = jnp.stack([p, 0.5 * p])[:, None]
    ys = family.sample(rows, key=jax.random.key(1))
    assert jax.tree.leaves(ys)[0].shape[:2] == (2, 1)
    one = [family.log_prob(rows[i, 0], jax.tree.map(lambda a, i=i: a[i, 0], ys)) for i in (0, 1)]
    np.testing.assert_allclose(family.log_prob(rows, ys)[:, 0], one, rtol=1e-5, atol=1e-5)
    assert family.entropy(rows).shape == family.potential(rows).shape == (2, 1)
    assert family.encode(ys).shape == (2, 1, family.encoded_size)


def test_a_description_is_plain_json(family):
    assert from_description(json.loads(json.dumps(family.describe(), allow_nan=False))) == family


def test_samples_have_the_entropy_and_the_mean(family):
    """E[-log q(y)] over samples is the entropy: both are nats of the same density."""
    p = jnp.asarray(some_params(family))
    many = jnp.broadcast_to(p, (MANY, family.param_size))
    y = family.sample(many, key=jax.random.key(2))
    nats = -family.log_prob(many, y)
    error = 5 * float(jnp.std(nats)) / MANY**0.5 + 2e-3
    assert abs(float(jnp.mean(nats)) - float(family.entropy(p))) < error
    if not getattr(family, "finite", False) and not isinstance(y, dict):
        off = np.abs(jnp.mean(y, axis=0) - family.mean(p))
        assert (off < 5 * np.std(y, axis=0) / MANY**0.5 + 1e-3).all()


@pytest.mark.parametrize("scale", [0.1, 1.0, 9.8, 100.0])
@pytest.mark.parametrize("make", [Normal, Quantile], ids=["normal", "quantile"])
def test_entropy_is_in_units_of_the_data(make, scale):
    family = make((3.0,), (scale,)) if make is Normal else Quantile(3.0, scale)
    p = jnp.array([0.2, 0.4])
    if make is Quantile:
        p = jnp.asarray(stats.norm.ppf((np.arange(200) + 0.5) / 200), jnp.float32)
    y = family.sample(jnp.broadcast_to(p, (MANY, len(p))), key=jax.random.key(0))
    nats = -family.log_prob(jnp.broadcast_to(p, (MANY, len(p))), y)
    np.testing.assert_allclose(jnp.mean(nats), family.entropy(p), atol=0.03)
    # The kernels of Silverman's rule add the square of their own width to the variance.
    wide = (1 + (1.06 * 200**-0.2) ** 2) ** 0.5
    std = scale * (np.exp(9 * np.tanh(0.4 / 9) - 1) if make is Normal else wide)
    np.testing.assert_allclose(family.entropy(p), stats.norm.entropy(3.0, std), atol=0.02)


def test_potential_grows_with_entropy():
    for family in (FAMILIES["normal"], FAMILIES["bounded box"]):
        narrow = jnp.asarray(some_params(family)).at[family.param_size // 2 :].set(-2.0)
        steps = [narrow.at[family.param_size // 2 :].set(v) for v in (-2.0, -1.0, -0.5)]
        entropy, potential = ([f(p) for p in steps] for f in (family.entropy, family.potential))
        assert entropy == sorted(entropy) and potential == sorted(potential)


@pytest.mark.parametrize("name", ["bounded box", "half-bounded box"])
def test_a_squashed_density_integrates_to_one(name):
    space = SPACES[name]
    low, high = (np.broadcast_to(b, (space.size,)) for b in (space.low, space.high))
    for i in range(space.size):
        one = distribution_of(Box((), low=float(low[i]), high=float(high[i])))
        y = np.linspace(max(low[i], -20.0), min(high[i], 20.0), 20_001)[1:-1]
        p = jnp.broadcast_to(jnp.array([0.3, 0.2]), (len(y), 2))
        density = np.exp(one.log_prob(p, jnp.asarray(y, jnp.float32)))
        assert abs(np.trapezoid(density, y) - 1) < 3e-3


def test_no_sample_leaves_its_box():
    family, space = FAMILIES["bounded box"], SPACES["bounded box"]
    wild = jnp.array([30.0, -30.0, 30.0, -30.0, 9.0, 9.0, -9.0, -9.0])
    y = family.sample(jnp.broadcast_to(wild, (1000, 8)), key=jax.random.key(0)).reshape(-1, 4)
    y = np.asarray(y)
    assert (y >= np.array(space.low)).all() and (y <= np.array(space.high)).all()
    edge = family.log_prob(wild, jnp.asarray(space.high).reshape(2, 2))
    gradient = jax.grad(family.log_prob)(wild, jnp.asarray(space.high).reshape(2, 2))
    assert jnp.isfinite(edge) and jnp.isfinite(gradient).all()
    half = FAMILIES["half-bounded box"]
    y = half.sample(jnp.broadcast_to(some_params(half), (1000, 6)), key=jax.random.key(0))
    assert (y[:, 0] >= 0).all() and (y[:, 1] <= 1).all() and y[:, 2].min() < -0.5


def test_squashed_normal_by_hand():
    """y = 1 + 2 tanh(u), u = 0.5, mean 0, std e^-0.5: log N(0.5) - log(2 (1 - tanh(0.5)^2))."""
    family = distribution_of(Box((1,), low=-1.0, high=3.0))
    y = 1 + 2 * np.tanh(0.5)
    got = family.log_prob(jnp.zeros(2), jnp.array([y]))
    by_hand = stats.norm.logpdf(0.5, 0, np.exp(-0.5)) - np.log(2 * (1 - np.tanh(0.5) ** 2))
    np.testing.assert_allclose(got, by_hand, rtol=1e-5)
    assert family.mode(jnp.zeros(2)).tolist() == [1.0]
    np.testing.assert_allclose(family.encode(jnp.array([y])), [np.tanh(0.5)], rtol=1e-6)


def test_categories_by_hand():
    family = FAMILIES["multi-discrete"]
    p = jnp.array([0.5, -1.0, 0.0, 1.0, 2.0, 0.1, 0.2, 0.3, 0.4])
    parts = [special.log_softmax(np.asarray(x)) for x in (p[:2], p[2:5], p[5:])]
    got = family.log_prob(p, jnp.array([1, 0, 3]))
    np.testing.assert_allclose(got, parts[0][1] + parts[1][0] + parts[2][3], rtol=1e-5)
    assert family.mode(p).tolist() == [0, 2, 3]
    assert family.encode(jnp.array([1, 0, 3])).tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 1]
    np.testing.assert_allclose(family.entropy(jnp.zeros(9)), np.log(2 * 3 * 4), rtol=1e-6)
    whole = FAMILIES["box of integers"]
    assert whole.mode(jnp.zeros(12).at[0].set(1.0).at[11].set(1.0)).tolist() == [-2, 3]


def test_flags_by_hand():
    family, p = FAMILIES["multi-binary"], jnp.array([0.0, 2.0, -1.0, 0.5])
    got = family.log_prob(p, jnp.array([1, 1, 0, 0], jnp.int8))
    one = special.expit(np.array([0.0, 2.0, 1.0, -0.5]))
    np.testing.assert_allclose(got, np.log(one).sum(), rtol=1e-5)
    assert family.mode(p).tolist() == [0, 1, 0, 1]
    np.testing.assert_allclose(family.entropy(jnp.zeros(4)), 4 * np.log(2), rtol=1e-6)


def test_a_tree_is_the_product_of_its_parts():
    family = FAMILIES["tree"]
    p = jnp.asarray(some_params(family))
    y = family.sample(p, key=jax.random.key(0))
    parts = [distribution_of(Box((2,), low=-2.0, high=2.0)), distribution_of(Discrete(3))]
    parts.append(distribution_of(MultiBinary(2)))
    leaves = y["move"], *y["say"]
    ends = zip(parts, (p[:4], p[4:7], p[7:]), leaves, strict=True)
    total = sum(part.log_prob(q, leaf) for part, q, leaf in ends)
    np.testing.assert_allclose(family.log_prob(p, y), total, rtol=1e-6)


def test_integers_of_many_values_are_refused_in_one_line():
    with pytest.raises(MemupError, match="integers of 1000 values; expected at most 512"):
        distribution_of(Box((1,), "int32", 0, 999))


def test_from_description_names_what_is_wrong():
    with pytest.raises(MemupError, match="not a distribution"):
        from_description({"family": "gamma"})


def test_finite_is_cross_entropy_and_entropy():
    family, logits = Finite(((-3.0, 0.0, 4.0),)), jnp.array([0.5, -1.0, 2.0])
    probs = special.softmax(np.asarray(logits))
    for i, value in enumerate((-3.0, 0.0, 4.0)):
        nll = -family.log_prob(logits, jnp.array([value]))
        np.testing.assert_allclose(nll, -np.log(probs[i]), rtol=1e-5)
    np.testing.assert_allclose(family.entropy(logits), stats.entropy(probs), rtol=1e-5)
    assert family.mode(logits).tolist() == [4.0]
    np.testing.assert_allclose(family.mean(logits), [-3 * probs[0] + 4 * probs[2]], rtol=1e-5)
    np.testing.assert_allclose(family.entropy(jnp.zeros(3)), np.log(3), rtol=1e-6)
    np.testing.assert_allclose(family.entropy(jnp.array([100.0, 0, 0])), 0.0, atol=1e-6)


def test_finite_adds_up_over_the_numbers():
    family = Finite(((0.0, 1.0), (5.0, 7.0)))
    logits = jnp.array([2.0, -1.0, 0.3, 0.4])
    parts = special.log_softmax(np.asarray(logits).reshape(2, 2), axis=1)
    nll = -family.log_prob(logits, jnp.array([1.0, 5.0]))
    np.testing.assert_allclose(nll, -parts[0, 1] - parts[1, 0], rtol=1e-5)
    assert family.mode(logits).tolist() == [0.0, 7.0]


def test_normal_is_a_density_in_units_of_the_data():
    family = Normal((1.0,), (2.0,))
    p = jnp.array([0.3, 0.6])
    mean, std = 1 + 2 * 0.3, 2 * np.exp(9 * np.tanh(0.6 / 9) - 1)
    for y in (-4.0, 1.0, 2.5):
        expected = -stats.norm.logpdf(y, mean, std)
        np.testing.assert_allclose(-family.log_prob(p, jnp.array([y])), expected, rtol=1e-5)
    np.testing.assert_allclose(family.mode(p), [mean], rtol=1e-6)


def test_normal_never_becomes_infinitely_sharp():
    family = Normal((0.0,), (1.0,))
    best = -family.log_prob(jnp.array([0.0, -1e6]), jnp.array([0.0]))
    np.testing.assert_allclose(best, -4 + 0.5 * np.log(2 * np.pi), rtol=1e-6)


def test_normal_can_say_one_payment_among_a_thousand_steps():
    """One payment N(0, 2) in 1,000 steps: its deviation is 32 of the data's own."""
    rng = np.random.default_rng(0)
    paid = rng.normal(0, 2, size=2000)
    data = np.zeros((2_000_000, 1))
    data[::1000, 0] = paid
    family = suit(data, "normal")
    assert family.scale[0] < 0.07
    y, mean = jnp.asarray(paid, jnp.float32)[:, None], (0.0 - family.shift[0]) / family.scale[0]

    def loss(raw):
        p = jnp.broadcast_to(jnp.stack([jnp.float32(mean), raw]), (2000, 2))
        return -jnp.mean(family.log_prob(p, y))

    raw, step = jnp.float32(0.0), jax.jit(jax.value_and_grad(loss))
    for _ in range(400):
        raw -= 0.05 * jnp.clip(step(raw)[1], -1, 1)
    best = -np.mean(stats.norm.logpdf(paid, 0, paid.std()))
    np.testing.assert_allclose(loss(raw), best, atol=0.01)


def test_quantile_huber_by_hand():
    family = Quantile(0.0, 1.0, count=2)
    p = jnp.array([0.0, 3.0])  # levels 1/4 and 3/4
    # y = 0.5: deltas 0.5 (square) and -2.5 (linear): 0.25 * 0.125 + 0.25 * 2.0
    np.testing.assert_allclose(family.loss(p, jnp.array([0.5])), 0.53125, rtol=1e-6)
    assert family.potential(p) == 1.5 and family.mode(p).tolist() == [1.5]
    assert Quantile(1.0, 4.0, count=2).potential(p) == 6.0
    assert Quantile(1.0, 4.0, count=2).mode(p).tolist() == [7.0]


def test_quantiles_that_fit_have_the_smallest_loss():
    family = Quantile(0.0, 1.0, count=4, kappa=0.01)
    y = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    right = stats.norm.ppf((np.arange(4) + 0.5) / 4)
    loss = lambda p: jnp.mean(jax.vmap(lambda v: family.loss(p, v[None]))(jnp.asarray(y)))  # noqa: E731
    best = loss(jnp.asarray(right, jnp.float32))
    for other in (right + 0.2, right * 1.3, right[::-1].copy()):
        assert loss(jnp.asarray(other, jnp.float32)) > best


def test_suit():
    rewards = np.array([[-3.0], [0.0], [4.0], [4.0]], np.float32)
    assert suit(rewards) == Finite(((-3.0, 0.0, 4.0),))
    many = np.arange(17, dtype=np.float32)[:, None]
    assert isinstance(suit(many), Normal) and suit(many[:16]).param_size == 16
    assert isinstance(suit(many, "categorical"), Finite)
    assert numbered([17]).param_size == 17, "labels stay classes"
    normal = suit(rewards, "normal")
    np.testing.assert_allclose(normal.shift + normal.scale, [1.25, np.std([-3, 0, 4, 4])])
    quantile = suit(rewards, "quantile")
    assert (quantile.param_size, quantile.shift) == (200, 1.25)
    # Numbers with fewer values than others repeat one of theirs, which is never chosen wrongly.
    two = suit(np.array([[0.0, 5.0], [1.0, 5.0]], np.float32))
    assert two == Finite(((0.0, 1.0), (5.0, 5.0)))
    assert two.mode(jnp.array([0.0, 1.0, 0.0, 9.0])).tolist() == [1.0, 5.0]


def test_suit_of_constant_data_is_finite():
    family = suit(np.full((5, 1), 3.0, np.float32), "normal")
    assert family.scale == (1.0,) and jnp.isfinite(family.log_prob(jnp.zeros(2), jnp.array([3.0])))
