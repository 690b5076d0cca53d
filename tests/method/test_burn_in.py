"""What long rows read between two windows: then their state is that of the whole episode."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hand_store import ACTIONS, SPACE, hand_store
from method_parts import selector as make_selector, target as make_target
from test_update import R, close, make_model

import memup
from memup.build.job import Builder, build
from memup.core.spaces import Box, Dict, Discrete
from memup.core.tree import ravel, rebuilder
from memup.core.types import StepInput
from memup.memories.encoded import initial_carry
from memup.method.orders.jump import Jump
from memup.method.update import MemUP
from memup.method.windows import Windows

LENGTHS = [50, 44]
ROWS, LONG, COUNT = 4, 2, 12


@pytest.fixture(scope="module")
def params():
    return jax.jit(lambda k: ravel(make_model(k)))(jax.random.key(0))


@pytest.fixture(scope="module")
def learner():
    return MemUP.of(rebuilder(make_model), 1e-2, 1.0, 0.9)


def walk(burn_in, long_after=0, segment_length=0):
    """Return the visits, and the windows, of short and long rows."""
    store = hand_store(LENGTHS)
    parts = make_selector("top-k+current", 2), make_target("reward")
    windows = Windows(store, *parts, SPACE, ACTIONS, R, burn_in=burn_in, long_rows=LONG / ROWS)
    rare = (np.array([0]), np.array([1.0]))
    order = Jump(R, 3, lambda _: rare, LONG / ROWS, 5, burn_in, long_after, segment_length)
    rng, ids = np.random.default_rng(0), np.arange(2)
    _, visits = order.advance(order.init(ROWS), COUNT * R, ids, np.array(LENGTHS), rng=rng)
    return store, visits, windows.build(visits, ROWS, COUNT, rng)


def states_of(model, store):
    """Return the state of the memory after every step of every episode, leaves [T, ...]."""

    @jax.jit
    def read(x):
        def body(state, now):
            state, _ = model.memory.step(state, now)
            return state, state

        return jax.lax.scan(body, model.memory.initial_state(), x)[1]

    after = []
    for id, length in enumerate(LENGTHS):
        episode = {k: np.asarray(v) for k, v in store.episode(id).items()}
        action = np.concatenate([episode["action"][:1], episode["action"][:-1]])
        x = StepInput(episode["obs"], action, episode["reward"], np.arange(length) == 0)
        after.append(read(jax.tree.map(jnp.asarray, x)))
    return after


@pytest.mark.parametrize("segment_length", [0, 1])
def test_long_rows_are_as_old_as_they_look(learner, params, segment_length):
    store, visits, windows = walk(burn_in=50, segment_length=segment_length)
    model, loss = learner.model(params), jax.jit(learner.loss)
    rows, checked, after = initial_carry(model.memory, ROWS), 0, states_of(model, store)
    lives = {}
    for n in range(COUNT):
        _, (rows, _) = loss(params, rows, jax.tree.map(lambda a, n=n: jnp.asarray(a[n]), windows))
        for row in range(ROWS - LONG, ROWS):
            visit = next(v for v in visits if v.row == row and v.offset == n * R)
            lives[row] = 0 if visit.fresh else lives[row] + visit.gap
            mine = jax.tree.map(lambda a, row=row: a[row], rows)
            stop = visit.start + R - 1
            close(mine, jax.tree.map(lambda a, t=stop: a[t], after[visit.episode]))
            checked += lives[row] > 0
    assert checked > COUNT / 2, "most windows lay behind steps that were passed over"


def test_it_reads_no_more_than_it_may_and_short_rows_nothing():
    _, visits, windows = walk(burn_in=3)
    assert all(v.gap == 0 for v in visits if v.row < ROWS - LONG or v.fresh)
    assert max(v.gap for v in visits) == 3
    assert windows.burn_in.count.shape == (COUNT, LONG, 1)
    assert windows.burn_in.x.reward.shape == (COUNT, LONG, 3)
    assert walk(burn_in=0)[2].burn_in is None
    assert walk(burn_in=3, long_after=COUNT * R)[2].burn_in is None, "no row is long yet"


def test_no_gradient_passes_through_what_lies_between(learner, params):
    _, _, windows = walk(burn_in=50)
    w = jax.tree.map(lambda a: jnp.asarray(a[3]), windows)
    assert int(w.burn_in.count.max()) > 0
    rows = initial_carry(learner.model(params).memory, ROWS)

    @jax.jit
    def through(reward):
        burn_in = w.burn_in._replace(x=w.burn_in.x._replace(reward=reward))
        return learner.loss(params, rows, w._replace(burn_in=burn_in))[0]

    reward = w.burn_in.x.reward
    assert float(through(reward)) != float(through(reward + 1.0)), "what is read does count"
    assert not np.asarray(jax.grad(through)(reward)).any()


@pytest.mark.parametrize(
    ("space", "given", "read"),
    [
        # A quarter of 64 rows, 50 windows a chunk: 800 times what is read before each.
        (Box((3,), "int8"), 400, 400),
        (Box((84, 84), "uint8"), 400, 2**30 // (800 * 84 * 84)),
        (Dict({"a": Box((84, 84), "float32"), "b": Discrete(3)}), 400, 47),
        (Box((84, 84), "uint8"), 20, 20),
    ],
)
def test_what_a_chunk_reads_between_windows_fits_in_a_gigabyte(space, given, read):
    spec = memup.spec(env="tmaze-20", **{"method.order": "jump", "method.order.burn_in": given})
    builder, workspace = Builder(spec), build(spec).workspace
    workspace.observation_space, workspace.facts["rarity"] = space, []
    order = builder.order(workspace)
    assert order.burn_in == read == builder.windows(workspace, order).burn_in


def test_by_default_an_old_state_has_read_most_of_a_hundred_thousand_steps():
    spec = memup.spec(env="tmaze-20", **{"method.order": "jump"})
    workspace = build(spec).workspace
    workspace.facts["rarity"] = []
    order = Builder(spec).order(workspace)
    order.rare = lambda _: (np.array([0]), np.array([1.0]))
    ids, lengths = np.array([0]), np.array([100_000])
    # The first life of a row is cut; the second begins within 250 windows, and lasts as many.
    _, visits = order.advance(order._grown(4), 20 * 600, ids, lengths, rng=np.random.default_rng(0))
    begins = [i for i, v in enumerate(visits) if v.row == 3 and v.fresh]
    life = visits[begins[1] : begins[2]]
    assert sum(v.stop - v.start + v.gap for v in life) > 90_000
