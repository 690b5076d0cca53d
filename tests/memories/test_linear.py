"""The linear memories against memax's own sequential scan, and by hand."""

import subprocess
import sys

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.linear import MODELS
from memup.memories.make import make_memory
from memup.memories.table import MEMORIES

SIZE, STEPS = 4, 9
OPTIONS = {"ffm": {"traces": 2, "contexts": 3}, "fwp": {"keys": 2}, "gated-deltanet": {"keys": 2}}


def layer_of(name, key, **options):
    options = {"size": SIZE, "timescale": 20.0, **OPTIONS.get(name, {}), **options}
    options = {k: v for k, v in options.items() if k in MEMORIES[name].options}
    return make_memory(name, 3, key=key, **options).layers[0]


def close(a, b, tolerance=1e-5):
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance), a, b
    )


@pytest.fixture
def xs(key):
    return jax.random.normal(key, (STEPS, SIZE))


@pytest.fixture
def first():
    return jnp.zeros(STEPS, bool).at[jnp.array([3, 7])].set(True)


def begin(layer, key):
    """A state that is not the initial one."""
    state = layer.initial()
    keys = jax.random.split(key, len(state))
    return tuple(jax.random.normal(k, part.shape) for k, part in zip(keys, state, strict=True))


@pytest.mark.parametrize("name", MODELS)
def test_the_scan_is_memax_sequential_scan(name, key, xs, first):
    from memax.equinox.scans import set_action_scan

    layer = layer_of(name, key)
    state, elements = begin(layer, key), layer.model.elements(layer.inner, xs)
    # memax's own algebra, with its own resets, from the same state.
    neutral, flag = layer.inner.initialize_carry()
    dtypes = jax.tree.map(lambda part, like: part.astype(like.dtype), neutral, elements)
    carry = (layer.model.put(dtypes, state), flag)
    theirs, _ = set_action_scan(layer.inner.algebra, carry, (elements, first))
    ours = layer.scan(state, elements, first)
    close(jax.vmap(layer.model.keep)(ours), jax.vmap(layer.model.keep)(theirs))


@pytest.mark.parametrize("name", ["lru", "s6", "ffm"])
def test_the_layer_is_memax_layer(name, key, xs, first):
    from memax.equinox.scans import set_action_scan

    layer = layer_of(name, key)
    sequential = eqx.tree_at(lambda inner: inner.scan, layer.inner, set_action_scan)
    _, theirs = sequential(sequential.initialize_carry(), (xs, first))
    prefixes = layer.scan(layer.initial(), layer.model.elements(layer.inner, xs), first)
    close(jax.vmap(lambda e, x: layer.model.read(layer.inner, e, x))(prefixes, xs), theirs)


def test_lru_by_hand(key):
    """Lambda = -1/2: one input of 1 is 1, -1/2, 1/4 afterwards."""
    inner = layer_of("lru", key, size=1).inner
    inner = eqx.tree_at(
        lambda l: (l.nu_log, l.theta_log, l.gamma_log, l.B_re, l.B_im, l.C_re, l.C_im, l.D),
        inner,
        [jnp.full(1, v) for v in (np.log(np.log(2)), np.log(np.pi), 0.0)]
        + [jnp.full((1, 1), v) for v in (1.0, 0.0, 1.0, 0.0)]
        + [jnp.full(1, 10.0)],
    )
    layer = eqx.tree_at(lambda l: l.inner, layer_of("lru", key, size=1), inner)
    xs = jnp.array([[1.0], [0.0], [0.0]])
    prefixes = layer.scan(layer.initial(), layer.model.elements(inner, xs), jnp.zeros(3, bool))
    close(prefixes[1].real[:, 0], jnp.array([1.0, -0.5, 0.25]))
    ys = jax.vmap(lambda e, x: layer.model.read(inner, e, x))(prefixes, xs)
    close(ys[:, 0], jnp.array([11.0, -0.5, 0.25]))


# A step's first two numbers are its key and its query, the others its value.
WRITES = jnp.array([[1.0, 0, 3, 5], [0, 1.0, 7, 2], [1.0, 0, -1, 4]])
AT_0, AT_1 = jnp.array([1.0, 0, 0, 0]), jnp.array([0, 1.0, 0, 0])


def associative(name, key):
    """A layer of fast weights with keys x[:2], values x[2:], and the reading in y[:2]."""
    layer = layer_of(name, key)
    left, right = jnp.eye(2, 4), jnp.eye(2, 4, k=2)
    inner = eqx.tree_at(
        lambda l: (l.K.weight, l.Q.weight, l.V.weight, l.output.weight, l.output.bias),
        layer.inner,
        (left, left, right, left.T, jnp.zeros(4)),
    )
    if name == "gated-deltanet":
        zero = jnp.zeros((1, 4))
        inner = eqx.tree_at(
            lambda l: (l.w.weight, l.w.bias, l.alpha.weight, l.alpha.bias),
            inner,
            # beta = 2 sigmoid(0) = 1 and alpha = sigmoid(30) = 1.
            (zero, jnp.zeros(1), zero, jnp.full(1, 30.0)),
        )
    layer = eqx.tree_at(lambda l: l.inner, layer, inner)
    elements = layer.model.elements(inner, WRITES)
    prefixes = layer.scan(layer.initial(), elements, jnp.zeros(3, bool))

    def read(step, query):
        element = jax.tree.map(lambda part: part[step], prefixes)
        return layer.model.read(inner, element, query)[:2]

    return read


def test_the_delta_rule_overwrites_what_is_at_its_key(key):
    read = associative("gated-deltanet", key)
    close(read(0, AT_0), jnp.array([3.0, 5.0]), 1e-4)
    close(read(1, AT_0), jnp.array([3.0, 5.0]), 1e-4)
    close(read(1, AT_1), jnp.array([7.0, 2.0]), 1e-4)
    close(read(2, AT_0), jnp.array([-1.0, 4.0]), 1e-4)
    close(read(2, AT_1), jnp.array([7.0, 2.0]), 1e-4)


def test_fast_weights_add_values_by_the_likeness_of_keys(key):
    """phi(x) = 1 + elu(x): keys (2, 1), (1, 2), (2, 1); query (2, 1); products 5, 4, 5."""
    read = associative("fwp", key)
    close(read(0, AT_0), jnp.array([15.0, 25.0]))
    close(read(1, AT_0), jnp.array([15.0 + 28, 25 + 8]))
    close(read(2, AT_0), jnp.array([15.0 + 28 - 5, 25 + 8 + 20]))


def test_time_scales_begin_as_asked(key):
    scales = np.linspace(20.0, 1.0, SIZE)
    close(jnp.abs(layer_of("lru", key).inner.diag_lambda()), jnp.exp(-1 / scales))
    close(jax.nn.softplus(layer_of("s6", key).inner.dt.layers[0].bias), 1 / scales)
    rates, _ = layer_of("ffm", key).inner.algebra.algebra.params
    close(rates, jnp.array([1 / 20, 1.0]))
    close(jax.nn.sigmoid(layer_of("gated-deltanet", key).inner.alpha.bias), jnp.array([0.95]))


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_floats(name, key):
    arrays = jax.tree.leaves(eqx.filter(layer_of(name, key), eqx.is_array))
    assert all(array.dtype == jnp.float32 for array in arrays)


def test_without_the_package_one_line_says_what_to_install(monkeypatch, key):
    monkeypatch.setitem(sys.modules, "memax.equinox.semigroups.lru", None)
    with pytest.raises(MemupError, match=r"memory=lru: .* pip install 'memup\[linear\]'"):
        make_memory("lru", 3, size=4, timescale=20.0, key=key)


def test_the_table_needs_no_package():
    code = (
        "import sys, memup.memories.linear, memup.memories.table; assert 'memax' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
