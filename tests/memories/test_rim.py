"""RIM by hand: who is chosen, who stays as it was, and where no gradient goes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.memories.make import make_memory
from memup.memories.rim import exchange, least

INPUT, UNITS, N = 3, 4, 4
CELLS = ["lstm", "gru"]


def build(cell="lstm", active=2, **others):
    return make_memory(
        "rim",
        INPUT,
        key=jax.random.key(3),
        **{"size": N * UNITS, "mechanisms": N, "active": active, "cell": cell, "timescale": 0},
        **others,
    )


@eqx.filter_jit
def step(memory, state, x):
    return memory.step(state, x)


@pytest.fixture
def x(key):
    return jax.random.normal(key, (INPUT,))


def chosen(memory, state, x):
    """Who advances, from the definition: softmax over the row of zeros and x, head by head."""
    query = jnp.einsum("nd,ndhk->nhk", state[0], memory.weight_query)
    key = jnp.einsum("ri,ihk->rhk", jnp.stack([jnp.zeros_like(x), x]), memory.weight_key)
    logits = jnp.einsum("nhk,rhk->nhr", query, key) / np.sqrt(key.shape[-1])
    null = np.asarray(jax.nn.softmax(logits, axis=-1)[..., 0].mean(axis=1))
    return np.isin(np.arange(N), np.argsort(null)[: memory.active])


def test_the_least_are_marked_and_of_equal_ones_the_earlier():
    scores = jnp.array([0.5, 0.1, 0.5, 0.3, 0.1])
    assert least(scores, 1).tolist() == [False, True, False, False, False]
    assert least(scores, 3).tolist() == [False, True, False, True, True]
    assert least(scores, 4).tolist() == [True, True, False, True, True]
    assert least(scores, 5).all() and least(jnp.zeros(4), 2).tolist() == [True, True, False, False]


def test_an_exchange_by_hand():
    """Two mechanisms, one head: logits 0 and ln 3 give shares 1/4 and 3/4."""
    query = jnp.array([[[1.0, 0, 0, 0]], [[0.0, 0, 0, 0]]])
    key = jnp.array([[[0.0, 5, 0, 0]], [[2 * np.log(3.0), 7, 0, 0]]], jnp.float32)
    value = jnp.array([[[4.0, 0, 0, 8]], [[0.0, 4, 0, 8]]])
    expected = [[1, 3, 0, 8], [2, 2, 0, 8]]
    np.testing.assert_allclose(exchange(query, key, value), expected, rtol=1e-6)


def test_a_selection_by_hand():
    """One unit each: q k = h x, so the null row gets 1 / (1 + exp(h x))."""
    memory = make_memory(
        "rim", 1, size=4, active=2, keys=1, values=1, timescale=0, key=jax.random.key(0)
    )
    one = {"weight_key": (1, 1, 1), "weight_query": (4, 1, 1, 1)}
    for name, shape in one.items():
        memory = eqx.tree_at(lambda m, n=name: getattr(m, n), memory, jnp.ones(shape))
    h = jnp.array([[0.3], [-0.9], [0.1], [0.8]])
    state = (h, jnp.zeros((4, 1)))

    def moved(x):
        after, _ = memory.step(state, jnp.array([x]))
        return (after[0] != h)[:, 0].tolist()

    assert moved(2.0) == [True, False, False, True]
    assert moved(-2.0) == [False, True, True, False]


@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_inactive_mechanisms_keep_their_state_exactly(cell, heads, x):
    memory = build(cell, heads=heads)
    state = memory.initial_state()
    seen = np.zeros(N, bool)
    for t in range(6):
        x_t = jnp.roll(x, t) * (-1) ** t
        active = chosen(memory, state, x_t)
        after, y = step(memory, state, x_t)
        for old, new in zip(state, after, strict=True):
            np.testing.assert_array_equal(old[~active], new[~active])
            assert (old[active] != new[active]).all()
        np.testing.assert_array_equal(y.reshape(N, UNITS), after[0])
        state, seen = after, seen | active
    assert active.sum() == 2 and seen.sum() > 2


@pytest.mark.parametrize("cell", CELLS)
def test_discarded_updates_take_no_gradient(cell, x):
    """The own weights of an inactive mechanism are not touched; its old state is, as it is read."""
    memory = build(cell)
    state = memory.initial_state()
    active = chosen(memory, state, x)

    def loss(memory, state):
        return jnp.sum(memory.step(state, x)[1] ** 2)

    of = jax.jit(jax.grad(loss, (0, 1)))(memory, state)
    layers, own = of[0].layers, [of[0].weight_query, of[0].comm_out]
    for leaf in [*jax.tree.leaves(layers), *own]:
        assert (leaf[~active] == 0).all() and (leaf[active] != 0).any()
    assert (of[1][0] != 0).all()
    queries, keys, values = jnp.split(of[0].comm_in.reshape(N, UNITS, 2, -1), 3, axis=-1)
    assert (queries[~active] == 0).all() and (queries[active] != 0).all()
    assert (keys != 0).all() and (values != 0).all()


@pytest.mark.parametrize("cell", CELLS)
def test_an_inactive_cell_passes_its_gradient_whole(cell, x):
    """c of an inactive mechanism, and h as far as its own output goes: the identity."""
    memory = build(cell)
    state = memory.initial_state()
    active = chosen(memory, state, x)
    jacobian = jax.jacrev(lambda state: memory.step(state, x)[0])(state)
    for i in np.flatnonzero(~active):
        for part, of in enumerate(jacobian):
            for other, block in enumerate(of):
                own = np.zeros((UNITS, N, UNITS))
                if part == other:
                    own[:, i] = np.eye(UNITS)
                np.testing.assert_array_equal(block[i], own)


def test_all_active_is_a_choice_of_none(x):
    after, _ = build(active=N).step(build().initial_state(), x)
    assert (after[0] != build().initial_state()[0]).all()


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_the_equations(cell, x):
    """Mechanism by mechanism, in the order of the paper."""
    memory = build(cell, heads=2)
    state = jax.tree.map(lambda a: a + 0.1, memory.initial_state())
    active = chosen(memory, state, x)
    read, states = [], []
    for n in range(N):
        of_n = tuple(part[n] for part in state)
        heads = []
        for h in range(2):
            q = state[0][n] @ memory.weight_query[n, :, h]
            k, v = x @ memory.weight_key[:, h], x @ memory.weight_value[:, h]
            heads.append(jax.nn.softmax(jnp.array([0.0, q @ k / 4]))[1] * v)
        layer = jax.tree.map(lambda a, n=n: a[n], memory.layers)
        read.append(jnp.concatenate(heads))
        states.append(layer.step(of_n, read[n]) if active[n] else of_n)
    mixed = [states[n][0] @ memory.comm_in[n] for n in range(N)]
    for n in np.flatnonzero(active):
        heads = []
        for h in range(2):
            parts = [m.reshape(2, 3, 16)[h] for m in mixed]
            share = jax.nn.softmax(jnp.stack([parts[n][0] @ p[1] / 4 for p in parts]))
            heads.append(sum(s * p[2] for s, p in zip(share, parts, strict=True)))
        message = jnp.concatenate(heads) @ memory.comm_out[n]
        states[n] = (states[n][0] + message, *states[n][1:])
    after, _ = memory.step(state, x)
    for part, new in enumerate(after):
        np.testing.assert_allclose(new, jnp.stack([s[part] for s in states]), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 10}, r"memory\.size=10: expected a multiple of memory\.mechanisms=4"),
        ({"active": 5}, r"memory\.active=5: expected at most memory\.mechanisms=4"),
        ({"heads": 3}, r"memory\.values=32: expected a multiple of memory\.heads=3"),
    ],
)
def test_sizes_that_do_not_fit(key, settings, message):
    with pytest.raises(MemupError, match=message):
        make_memory("rim", INPUT, **{"size": 16, **settings}, key=key)
