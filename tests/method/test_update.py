"""The update: where the gradient goes, what the loss is, and what never reaches the parameters."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hand_store import ACTIONS, SPACE, hand_store
from method_parts import selector as make_selector, target as make_target

from memup.core.tree import ravel, rebuilder
from memup.memories.encoded import EncodedMemory
from memup.memories.make import make_memory
from memup.method.orders.sequential import Sequential
from memup.method.predictor import Predictor
from memup.method.update import MemUP, Model
from memup.method.windows import Windows
from memup.nn.distributions import Normal
from memup.nn.encoders import InputEncoder, QueryEncoder

ROWS, R, D = 3, 4, 5


def make_model(key, dropout=0.0):
    keys = jax.random.split(key, 4)
    facts = {"obs": {"shift": [0.0, 0.0], "scale": [100.0, 100.0]}}
    encoder = InputEncoder(SPACE, ACTIONS, 6, key=keys[0], facts=facts, dropout=dropout)
    memory = make_memory("gru", 6, key=keys[1], size=D)
    question = QueryEncoder(SPACE, ACTIONS, 4, key=keys[2], facts=facts)
    likelihood = Normal((0.0,), (10.0,))
    predictor = Predictor(D, question, 7, likelihood.param_size, key=keys[3])
    return Model(EncodedMemory(encoder, memory), predictor, likelihood)


@pytest.fixture(scope="module")
def learner():
    return MemUP.of(rebuilder(make_model), 1e-2, 1.0, 0.9)


@pytest.fixture(scope="module")
def params():
    return jax.jit(lambda k: ravel(make_model(k)))(jax.random.key(0))


@pytest.fixture(scope="module")
def windows():
    """Three consecutive windows of three rows, with targets far beyond them."""
    lengths = [30, 25, 9]
    builder = Windows(
        hand_store(lengths),
        make_selector("top-k+current", 2),
        make_target("reward"),
        SPACE,
        ACTIONS,
        R,
    )
    order, rng = Sequential(), np.random.default_rng(0)
    _, visits = order.advance(order.init(ROWS), 3 * R, np.arange(3), np.array(lengths), rng=rng)
    return builder.build(visits, ROWS, 3, rng)


@pytest.fixture(scope="module")
def state(learner, params):
    # Compiled, as in a run; donation is left out so that it can be used again.
    return jax.jit(lambda v: learner.init(v, ROWS))(params)


@pytest.fixture(scope="module")
def learn(learner):
    return jax.jit(learner.learn)


def window(windows, n):
    return jax.tree.map(lambda a: jnp.asarray(a[n]), windows)


def same(a, b):
    jax.tree.map(np.testing.assert_array_equal, a, b)


def close(a, b, tolerance=1e-5):
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, tolerance, tolerance), a, b)


def slow_loss(model, rows, w):
    """Eq. 5 as it is written: a loop over rows, queries and targets."""
    total, count = 0.0, 0
    for b in range(ROWS):
        state = jax.tree.map(lambda a, b=b: a[b], rows)
        outputs = []
        for t in range(R):
            x = jax.tree.map(lambda a, b=b, t=t: a[b, t], w.x)
            if x.first:
                state = model.memory.initial_state()
            state, m = model.memory.memory.step(state, model.memory.encoder(x))
            outputs.append(m)
        for q, t in enumerate(w.query.tolist()):
            for k in range(w.weight.shape[2]):
                context = jax.tree.map(lambda a, i=(b, q, k): a[i], w.context)
                params = model.predictor(outputs[t], context)
                mean, raw = params[0], params[1]
                room = 9 if raw > 0 else 3  # a deviation between e^-4 and e^8
                log_std = room * np.tanh(raw / room) - 1 + np.log(10)
                z = (w.target[b, q, k, 0] - 10 * mean) / np.exp(log_std)
                nll = 0.5 * z**2 + log_std + 0.5 * np.log(2 * np.pi)
                total += float(w.weight[b, q, k]) * float(nll)
                count += float(w.weight[b, q, k])
    return total / count


def test_the_loss_is_equation_5(learner, params, state, windows, learn):
    w = window(windows, 0)
    middle, _ = learn(state, w)  # rows that are not at a beginning
    w = window(windows, 1)
    assert 0 < float(w.weight.sum()) < w.weight.size, "some targets are none"
    _, metrics = learn(middle, w)
    model = learner.model(middle.model)
    np.testing.assert_allclose(metrics["loss"], slow_loss(model, middle.carry, w), rtol=1e-4)


@pytest.fixture(scope="module")
def gradients(learner, params, state, windows, learn):
    """Of the loss of the second window, with respect to all that it reads."""
    middle, _ = learn(state, window(windows, 0))
    w = window(windows, 1)
    # Row 0 goes on in the middle of an episode: nothing resets it.
    assert not bool(w.x.first[0].any())

    def loss(obs, rows, context):
        changed = w._replace(x=w.x._replace(obs=obs), context=w.context._replace(obs=context))
        return learner.loss(middle.model, rows, changed)[0]

    grad = jax.jit(jax.grad(loss, argnums=(0, 1, 2)))
    return grad(w.x.obs, middle.carry, w.context.obs), w


def test_the_gradient_stays_in_the_window(gradients):
    (inputs, rows, contexts), w = gradients
    for leaf in jax.tree.leaves(rows):
        assert not np.asarray(leaf).any(), "the carried state is a constant"
    moved = np.abs(np.asarray(inputs[0])).sum(axis=-1)
    assert (moved > 0).all(), "every step of the window matters to its later queries"
    counts = np.asarray(w.weight) > 0
    assert (np.abs(np.asarray(contexts)).sum(-1)[~counts] == 0).all()
    assert (np.abs(np.asarray(contexts)).sum(-1)[counts] > 0).any()


def test_through_the_state_the_gradient_would_reach_further(learner, params, windows):
    """The control of the test above: in one long window it does."""
    first, second = window(windows, 0), window(windows, 1)
    x = jax.tree.map(lambda a, b: jnp.concatenate([a, b], 1), first.x, second.x)
    rows = jax.tree.map(
        lambda a: jnp.zeros((ROWS, *a.shape)), learner.model(params).memory.initial_state()
    )

    @jax.jit
    @jax.grad
    def reach(obs):
        w = second._replace(x=x._replace(obs=obs), query=second.query + R)
        return learner.loss(params, rows, w)[0]

    assert np.asarray(reach(x.obs))[0, :R].any()


def test_a_far_target_alone_reaches_the_windows_inputs(learner, params, state, windows):
    w = window(windows, 0)
    step, far = w.x.obs[..., 0] % 100, w.context.obs[..., 0] % 100
    distance = far - step[:, w.query, None]
    weight = jnp.where(distance > 15, w.weight, 0.0)
    assert weight.sum() > 0 and weight[..., -1].sum() == 0

    @jax.jit
    @jax.grad
    def reach(obs):
        return learner.loss(
            params, state.carry, w._replace(x=w.x._replace(obs=obs), weight=weight)
        )[0]

    gradient = np.abs(np.asarray(reach(w.x.obs))).sum(-1)
    assert (gradient[np.asarray(weight).any((1, 2))] > 0).all()


def test_learning_lowers_the_loss(learn, state, windows):
    w, losses = window(windows, 0), []
    for _ in range(40):
        state, metrics = learn(state._replace(carry=jax.tree.map(jnp.zeros_like, state.carry)), w)
        losses.append(float(metrics["loss"]))
    assert losses[-1] < losses[0] - 0.5


def test_the_slow_copy_is_an_exponential_average(learn, state, windows):
    after, _ = learn(state, window(windows, 0))
    again, _ = learn(after, window(windows, 1))
    np.testing.assert_allclose(after.slow, 0.9 * state.model + 0.1 * after.model, rtol=1e-6)
    np.testing.assert_allclose(again.slow, 0.9 * after.slow + 0.1 * again.model, rtol=1e-6)
    assert int(again.updates) == 2 and not np.array_equal(after.model, state.model)


@pytest.mark.parametrize("where", ["target", "obs", "state"])
def test_what_is_not_finite_never_reaches_the_parameters(learn, state, windows, where):
    good, w = learn(state, window(windows, 0))[0], window(windows, 1)
    broken, bad = good, w
    if where == "target":
        bad = w._replace(target=w.target.at[0, 0, 0].set(jnp.inf), weight=jnp.ones_like(w.weight))
    elif where == "obs":
        bad = w._replace(x=w.x._replace(obs=w.x.obs.at[0, 1].set(jnp.inf * 0)))
    else:
        rows = jax.tree.map(lambda a: a.at[0].set(jnp.nan), good.carry)
        broken = good._replace(carry=rows)
    after, metrics = learn(broken, bad)
    same(after.model, good.model)
    np.testing.assert_allclose(after.slow, 0.9 * good.slow + 0.1 * good.model, rtol=1e-6)
    assert int(metrics["skipped"]) == 1 == int(metrics["skipped_in_a_row"])
    healthy = after._replace(carry=good.carry)
    following, metrics = learn(healthy, w)
    assert not np.array_equal(following.model, after.model)
    assert int(metrics["skipped"]) == 1 and int(metrics["skipped_in_a_row"]) == 0


def test_a_nan_beside_a_target_without_weight_is_harmless(learn, state, windows):
    w = window(windows, 1)
    assert (np.asarray(w.weight) == 0).any()
    target = jnp.where(w.weight[..., None] > 0, w.target, jnp.nan)
    _, metrics = learn(state, w._replace(target=target))
    assert np.isfinite(metrics["loss"])


def test_many_updates_at_once_are_the_same_updates(learner, learn, state, windows):
    one = state
    for n in range(3):
        one, metrics = learn(one, window(windows, n))
    many, all_metrics = jax.jit(learner.learn_many)(state, windows)
    close(many, one)
    np.testing.assert_allclose(all_metrics["loss"][-1], metrics["loss"], rtol=1e-5)
    assert all_metrics["loss"].shape == (3,)


def test_seeds_side_by_side_are_each_alone(learner, learn, windows):
    vectors = jnp.stack([ravel(make_model(jax.random.key(s))) for s in (1, 2)])
    w = window(windows, 0)
    both = jax.jit(jax.vmap(lambda v: learner.learn(learner.init(v, ROWS), w)))(vectors)
    for s in range(2):
        alone = learn(learner.init(vectors[s], ROWS), w)
        close(jax.tree.map(lambda a, s=s: a[s], both), alone)


def test_carried_rows_are_those_of_an_unbroken_walk(learner, params, state, windows):
    """Without updates between them, consecutive windows read what one long window reads."""
    _, losses = jax.jit(learner.evaluate_many)(params, state.carry, windows)
    x = jax.tree.map(lambda a: np.concatenate(list(a), 1), windows.x)
    model = learner.model(params)
    unroll = jax.jit(jax.vmap(lambda s, x: model.memory.unroll(s, x)))
    _, m = unroll(state.carry, jax.tree.map(jnp.asarray, x))
    last = window(windows, 2)
    ask = jax.jit(jax.vmap(lambda *a: model.losses(*a)))
    expected = ask(m[:, 2 * R + np.asarray(last.query)], last.context, last.target)
    close(np.asarray(losses[2]), np.asarray(expected), 1e-4)


def test_the_gradient_is_clipped(learn, state, windows):
    w = window(windows, 0)
    _, metrics = learn(state, w._replace(target=w.target + 1000))
    assert metrics["gradient_norm"] > 10
    count = optax.tree_utils.tree_get(learn(state, w)[0].optimiser, "count")
    assert int(count) == 1


def test_a_learning_rate_may_fall_to_nothing(params, windows):
    """Adam's first step is as long as the rate; where the line has reached 0, nothing moves."""
    falling = MemUP.of(rebuilder(make_model), optax.linear_schedule(1e-2, 0.0, 2), 1.0, 0.9)
    state, learn = falling.init(params, ROWS), jax.jit(falling.learn)
    longest = []
    for n in range(3):
        before = state.model
        state, _ = learn(state, window(windows, n))
        longest.append(float(jnp.max(jnp.abs(state.model - before))))
    assert longest[0] == pytest.approx(1e-2, rel=1e-2)
    assert 0 < longest[1] < 1e-2
    assert longest[2] == 0


def test_dropout_is_for_learning_alone(learner, params, state, windows):
    """Each update drops anew, a repeated one the same; a loss that is judged by drops nothing."""
    make = rebuilder(partial(make_model, dropout=0.5))
    dropping = MemUP.of(make, 1e-2, 1.0, 0.9, noise=jax.random.key(3))
    learn, w = jax.jit(dropping.learn), window(windows, 0)
    losses = [float(learn(state._replace(updates=n), w)[1]["loss"]) for n in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    one = jax.tree.map(lambda a: a[:1], windows)
    judged = [jax.jit(x.evaluate_many)(params, state.carry, one)[1] for x in (learner, dropping)]
    np.testing.assert_array_equal(*judged)
    whole = jax.jit(learner.learn)(state, w)[1]["loss"]
    assert float(whole) not in losses


def test_rows_that_forget_begin_anew(learner, params, state, windows):
    """Where all of them forget, what was read before a window counts for nothing."""
    read = jax.jit(learner.learn)(state, window(windows, 0))[0]._replace(model=params)
    w = window(windows, 1)

    def losses(share, before=read):
        forgetting = MemUP.of(rebuilder(make_model), 1e-2, 1.0, 0.9, jax.random.key(3), share)

        def at(update):
            return forgetting.learn(before._replace(updates=update), w)[1]["losses"]

        return np.asarray(jax.jit(jax.vmap(at))(jnp.arange(20)))

    seen = {share: losses(share) for share in (0.0, 0.5, 1.0)}
    close(seen[1.0], losses(0.0, read._replace(carry=state.carry)))
    close(seen[0.0], losses(0.0)[:1].repeat(20, axis=0))
    kept, lost = (np.isclose(seen[0.5], seen[share]).all(axis=(2, 3)) for share in (0.0, 1.0))
    assert (kept ^ lost).all()
    assert 15 < lost.sum() < 45, "of 60"


def test_a_number_that_is_not_known_is_left_out(learn, state, windows):
    """As if it had no weight, where it is the only one of its outcome."""
    w = window(windows, 1)
    weight = w.weight.at[0, 0, 0].set(1.0)
    unknown = w._replace(target=w.target.at[0, 0, 0].set(jnp.nan), weight=weight)
    after, metrics = learn(state, unknown)
    without, _ = learn(state, w._replace(weight=weight.at[0, 0, 0].set(0.0)))
    assert int(metrics["skipped"]) == 0 and float(metrics["losses"][0, 0, 0]) == 0
    # The mean is over one question more; Adam's first step does not depend on the scale.
    np.testing.assert_allclose(after.model, without.model, rtol=1e-3, atol=1e-6)
