"""Every memory in the table keeps the contract, with one layer and with two."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from memup.core.errors import MemupError
from memup.memories.make import check_memory, make_memory
from memup.memories.table import MEMORIES

INPUT, SIZE, STEPS, RESET = 3, 5, 7, 4
TINY = {
    "ntm": {"slots": 4, "width": 3},
    "dnc": {"slots": 4, "width": 3},
    "rim": {"size": 6, "mechanisms": 3, "active": 2, "keys": 3, "values": 4, "comm_keys": 3},
    "pooled": {"size": 8, "heads": 2, "stretch": 3},
    "amrl-max": {"size": 6},
    "amrl-avg": {"size": 6},
    "window-transformer": {"size": 4, "heads": 2, "window": 4},
    "gtrxl": {"size": 8, "heads": 2, "window": 4},
    "rmt": {"size": 8, "heads": 2, "window": 4, "tokens": 2},
    "bigbird": {"size": 4, "heads": 2, "block": 2, "window": 1, "random": 1, "history": 6},
    "ffm": {"traces": 2, "contexts": 3},
    "fwp": {"keys": 3},
    "gated-deltanet": {"keys": 3},
}
# All of one adapter, as "lru", which is tested with one layer and with two.
SINGLE = {"s6", "ffm", "fwp", "gated-deltanet"}
# Layers see further together than alone, so two layers are the harder case.
DOUBLE = {"window-transformer", "gtrxl", "rmt", "bigbird"}
# Where a gradient is stopped on purpose, the slope is tested without that.
SMOOTH = {
    "dnc": {"usage_gradient": True},
    "amrl-max": {"straight_through": False},
    "amrl-avg": {"straight_through": False},
}
CASES = [
    (name, layers)
    for name in MEMORIES
    for layers in ((2,) if name in DOUBLE else (1, 2))
    if layers == 1 or ("layers" in MEMORIES[name].options and name not in SINGLE)
]


def build(name, layers, clock=0, events=False, **others):
    wanted = {"size": SIZE, "layers": layers, **TINY.get(name, {}), **others}
    options = {k: v for k, v in wanted.items() if k in MEMORIES[name].options}
    more = {"clock": clock, "events": events}
    return make_memory(name, INPUT, key=jax.random.key(1), **more, **options)


# And one that is told the time, and one that reads events only: each is one adapter for all.
ADAPTED = [("lstm", 1, 4), ("lstm", 1, 0, True)]


@cache
def built(case):
    return build(*case)


@pytest.fixture(params=[*CASES, *ADAPTED], ids=lambda case: "-".join(map(str, case)))
def memory(request):
    return built(request.param)


@pytest.fixture
def xs():
    # The first number is above 0, so that what reads events only reads all of them.
    xs = jax.random.normal(jax.random.key(2), (STEPS, INPUT))
    return xs.at[:, 0].set(jnp.abs(xs[:, 0]))


def flags(*starts):
    return jnp.isin(jnp.arange(STEPS), jnp.array(starts, int))


# Nearly all of the time is compiling, so that tests share these few programs.
@eqx.filter_jit
def unroll(memory, state, xs, first):
    return memory.unroll(state, xs, first)


@eqx.filter_jit
def unroll_rows(memory, states, xs, first):
    return jax.vmap(memory.unroll)(states, xs, first)


@eqx.filter_jit
def step(memory, state, x):
    return memory.step(state, x)


# Not their squares, which have a fixed sum behind a layer norm.
def waves(weights, static, state, xs, first, asked):
    ys = eqx.combine(weights, static).unroll(state, xs, first)[1]
    return jnp.sum(jnp.where(asked[:, None], jnp.sin(ys + jnp.arange(ys.shape[1])[None]), 0.0))


@eqx.filter_jit
def slopes(memory, state, xs, first, asked):
    """Gradients of weights and inputs for sines of the outputs that are asked for."""
    weights, static = eqx.partition(memory, eqx.is_array)
    of = jax.grad(lambda weights, xs: waves(weights, static, state, xs, first, asked), (0, 1))
    return of(weights, xs)


def some_state(memory):
    """A state that is not the initial one."""
    return unroll(memory, memory.initial_state(), jnp.ones((STEPS, INPUT)), flags())[0]


def outputs(memory, state, xs, first):
    return unroll(memory, state, xs, first)[1]


def close(a, b, tolerance=1e-5):
    jax.tree.map(
        lambda x, y: np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance), a, b
    )


def close_sums(a, b, tolerance=1e-4):
    """Compare sums leaf by leaf: beside large numbers a small one is what large ones leave."""

    def one(x, y):
        scale = max(1.0, float(jnp.abs(y).max(initial=0)))
        np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance * scale)

    jax.tree.map(one, a, b)


def finite(tree):
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(tree))


def test_shapes(memory, xs):
    state, ys = unroll(memory, memory.initial_state(), xs, flags())
    assert ys.shape == (STEPS, memory.output_size) and memory.input_size == INPUT
    assert jax.tree.map(jnp.shape, state) == jax.tree.map(jnp.shape, memory.initial_state())


def test_steps_windows_and_one_unroll_agree(memory, xs):
    first = flags(0, RESET)
    begin = some_state(memory)
    whole = unroll(memory, begin, xs, first)
    for cut in (RESET, STEPS - RESET):
        state, before = unroll(memory, begin, xs[:cut], first[:cut])
        state, after = unroll(memory, state, xs[cut:], first[cut:])
        close((state, jnp.concatenate([before, after])), whole)
    state, singles = begin, []
    for x, starts in zip(xs, first, strict=True):
        state, y = step(memory, memory.initial_state() if starts else state, x)
        singles.append(y)
    close((state, jnp.stack(singles)), whole)


def test_a_reset_cuts_the_past(memory, xs):
    late = jnp.arange(STEPS) >= RESET
    _, gradient = slopes(memory, some_state(memory), xs, flags(RESET), late)
    assert (gradient[:RESET] == 0).all() and (gradient[RESET:] != 0).any()
    fresh = outputs(memory, memory.initial_state(), xs[RESET:], flags()[RESET:])
    close(outputs(memory, some_state(memory), xs, flags(RESET))[RESET:], fresh)


@pytest.mark.parametrize("bad", [jnp.inf, jnp.nan])
def test_a_broken_state_does_not_pass_a_reset(memory, xs, bad):
    broken = jax.tree.map(lambda a: jnp.full_like(a, bad), memory.initial_state())
    fresh = outputs(memory, memory.initial_state(), xs, flags(0))
    close(outputs(memory, broken, xs, flags(0)), fresh)
    late = outputs(memory, memory.initial_state(), xs[RESET:], flags()[RESET:])
    close(outputs(memory, broken, xs, flags(RESET))[RESET:], late)
    assert finite(slopes(memory, broken, xs, flags(0), jnp.ones(STEPS, bool)))


def test_rows_do_not_meet(memory, xs):
    rows = jnp.stack([xs, 2 * xs, -xs])
    states = jax.tree.map(lambda a: jnp.stack([a, 2 * a, -a]), some_state(memory))
    first = jnp.stack([flags(), flags(0, 2), flags(RESET)])
    together = unroll_rows(memory, states, rows, first)
    for row in range(3):
        alone = unroll(memory, *jax.tree.map(lambda a, r=row: a[r], (states, rows, first)))
        close(jax.tree.map(lambda a, r=row: a[r], together), alone)
    spoilt = unroll_rows(memory, states, rows.at[0].set(jnp.nan), first)
    close(spoilt[1][1:], together[1][1:])


def test_outputs_do_not_see_the_future(memory, xs):
    begin = some_state(memory)
    for t in range(STEPS):
        _, gradient = slopes(memory, begin, xs, flags(2), jnp.arange(STEPS) == t)
        assert (gradient[t + 1 :] == 0).all() and (gradient[t] != 0).any()


def test_state_goes_through_numpy(memory, xs):
    state = some_state(memory)
    leaves, tree = jax.tree.flatten(state)
    saved = [np.asarray(leaf) for leaf in leaves]
    again = jax.tree.unflatten(tree, [jnp.asarray(leaf) for leaf in saved])
    close(unroll(memory, again, xs, flags()), unroll(memory, state, xs, flags()), 0)


def test_a_gradient_passes_to_what_was_read_before(memory, xs):
    _, gradient = slopes(memory, memory.initial_state(), xs, flags(), jnp.arange(STEPS) >= 3)
    remembers = bool(jax.tree.leaves(memory.initial_state()))
    assert bool((gradient[:3] != 0).any()) == remembers


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_gradient_is_the_slope(case):
    with jax.enable_x64(True):
        memory = build(*case, **SMOOTH.get(case[0], {}))
        weights, static = eqx.partition(memory, eqx.is_array)
        xs = jax.random.normal(jax.random.key(2), (STEPS, INPUT))

        @jax.jit
        def loss(weights, state, xs):
            state, ys = eqx.combine(weights, static).unroll(state, xs, flags(RESET))
            return jnp.sum(ys**3) + sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(state))

        arguments = (weights, some_state(memory), xs)
        assert all(leaf.dtype == jnp.float64 for leaf in jax.tree.leaves(arguments))
        check_grads(loss, arguments, order=1, atol=1e-6, rtol=1e-6, eps=1e-6)


def test_zeros_give_numbers(memory):
    given = memory.initial_state(), jnp.zeros((STEPS, INPUT)), flags()
    assert finite((outputs(memory, *given), slopes(memory, *given, jnp.ones(STEPS, bool))))


def test_several_seeds_train_at_once(memory, xs):
    weights, static = eqx.partition(memory, eqx.is_array)
    several = jax.tree.map(lambda a: jnp.stack([a, 2 * a]), weights)
    rows = jnp.stack([xs, 2 * xs, -xs])
    rest = flags(RESET), jnp.ones(STEPS, bool)

    def loss(weights, rows):
        begin = jax.lax.stop_gradient(eqx.combine(weights, static).initial_state())
        return jax.vmap(lambda xs: waves(weights, static, begin, xs, *rest))(rows).sum()

    together = jax.jit(jax.vmap(jax.grad(loss, (0, 1))))(several, jnp.stack([rows, rows]))
    for seed in range(2):
        own = eqx.combine(jax.tree.map(lambda a, s=seed: a[s], several), static)
        alone = [slopes(own, own.initial_state(), row, *rest) for row in rows]
        of_weights, of_rows = jax.tree.map(lambda *parts: jnp.stack(parts), *alone)
        alone = jax.tree.map(lambda a: a.sum(axis=0), of_weights), of_rows
        close_sums(jax.tree.map(lambda a, s=seed: a[s], together), alone)


def test_the_table_checks_what_users_write():
    memory = make_memory("lstm", 3, key=jax.random.key(0), size="8", layers="2")
    assert memory.output_size == 8 and len(memory.layers) == 2
    with pytest.raises(MemupError, match="did you mean 'lstm'"):
        make_memory("lsmt", 3, key=jax.random.key(0))
    with pytest.raises(MemupError, match=r"did you mean 'memory\.size'"):
        make_memory("gru", 3, key=jax.random.key(0), sizes=8)
    with pytest.raises(MemupError, match="at least 1"):
        make_memory("rnn", 3, key=jax.random.key(0), layers=0)


@pytest.mark.parametrize("name", MEMORIES)
def test_the_defaults_fit_together(name):
    check_memory(name, {})
