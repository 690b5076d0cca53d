"""R2D2: what is stored, what is learned from, and where the gradient ends."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from agents_on_memory import ENV, B, T, example, make, play

from memup.agents.configs import R2D2Config
from memup.agents.r2d2 import R2D2, ladder
from memup.agents.replay import Replay, importance
from memup.agents.sequences import Sequence
from memup.agents.transitions import Transitions
from memup.core.errors import MemupError
from memup.core.tree import ravel, rebuilder
from memup.core.types import Trajectory
from memup.ops.rescaling import rescale

CONFIG = R2D2Config(
    hidden=4,
    n_step=2,
    sequence=6,
    burn_in=2,
    replay=160,
    batch_size=4,
    updates=2,
    target_period=3,
    gamma=0.5,
)
LENGTH = 4


def r2d2(params, train_memory=True, **changes):
    config = R2D2Config(**{**vars(CONFIG), **changes})
    return R2D2(
        params, rebuilder(make), ENV.action_space, config, train_memory, example=example(), actors=B
    )


@pytest.fixture(scope="module")
def params():
    return ravel(make(jax.random.key(0)))


@pytest.fixture(scope="module", params=[False, True], ids=["frozen", "trained"])
def agent(request, params):
    return r2d2(params, request.param)


@pytest.fixture(scope="module")
def played(agent):
    return play(agent)


def states_before_each_step(agent, state, trajectory):
    """What the actors' memories held before they read each step, and after the last one."""
    carries = [trajectory.before]
    for t in range(T):
        step = jax.tree.map(lambda a, t=t: a[t], trajectory.step)
        carry, _, _ = agent.act(state, carries[-1], step, key=jax.random.key(0))
        carries.append(carry._replace(action=trajectory.action[t].astype(jnp.int32)))
    return [carry.memory for carry in carries]


def parts(trajectory, at):
    first = lambda a: a[:at]  # noqa: E731
    second = lambda a: a[at:]  # noqa: E731
    middle = jax.tree.map(lambda a: a[at], trajectory.step)
    tree = (trajectory.step, trajectory.action, trajectory.extras)
    return (
        Trajectory(*jax.tree.map(first, tree), middle, trajectory.before, None),
        Trajectory(*jax.tree.map(second, tree), trajectory.last, None, trajectory.after),
    )


def test_the_stored_state_is_the_one_before_the_first_input(params):
    agent = r2d2(params)
    state, trajectory = play(agent, skip=0)
    tail, items = jax.jit(agent._cut)(state, trajectory)
    seen = states_before_each_step(agent, state, trajectory)
    assert items.action.shape == (T // LENGTH * B, LENGTH)
    rows = jax.tree.map(lambda a: a.reshape(T // LENGTH, B, -1), items.rows)
    for k in (1, 2):
        # The k-th sequence warms up on the 2 steps before its first one to learn from.
        jax.tree.map(
            lambda a, b, k=k: np.testing.assert_allclose(a[k], b.reshape(B, -1), atol=1e-6),
            rows,
            seen[k * LENGTH - 2],
        )
        read = items.read.obs.reshape(T // LENGTH, B, 7, 3)[k]
        low, high = k * LENGTH - 2, k * LENGTH + LENGTH + 1
        steps = jnp.concatenate([trajectory.step.obs, trajectory.last.obs[None]])[low:high]
        np.testing.assert_array_equal(read, jnp.swapaxes(steps, 0, 1))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), tail.rows, seen[T - 2])


def test_values_of_a_sequence_are_those_of_acting(agent):
    state, trajectory = play(agent, skip=0)
    _, items = jax.jit(agent._cut)(state, trajectory)
    values = jax.jit(
        lambda s, i: jax.vmap(agent._values, (None, None, 0))(
            s.trained.network, s.trained.memory, i
        )
    )(state, items)
    q = np.asarray(values).reshape(T // LENGTH, B, LENGTH + 1, 2)
    carry = trajectory.before
    for t in range(T):
        step = jax.tree.map(lambda a, t=t: a[t], trajectory.step)
        rows, m = jax.vmap(agent.learner.memory(state.trained.memory).step)(
            carry.memory, type(example())(step.obs, carry.action, step.reward, step.first)
        )
        acted = agent.learner.heads(state.trained.network, m)
        np.testing.assert_allclose(q[t // LENGTH, :, t % LENGTH], acted, atol=1e-5)
        carry = carry._replace(memory=rows, action=trajectory.action[t].astype(jnp.int32))


def test_a_rollout_split_in_two_stores_the_same_sequences(agent):
    state, trajectory = play(agent, skip=0)
    _, whole = agent._cut(state, trajectory)
    first, second = parts(trajectory, LENGTH)
    seen = states_before_each_step(agent, state, trajectory)
    carry = trajectory.before._replace(
        memory=seen[LENGTH], action=trajectory.action[LENGTH - 1].astype(jnp.int32)
    )
    tail, one = agent._cut(state, first._replace(after=carry))
    _, two = agent._cut(state._replace(tail=tail), second._replace(before=carry))
    joined = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), one, two)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), joined, whole)


def test_no_gradient_passes_the_warming_up(params):
    agent = r2d2(params)
    state, trajectory = play(agent, skip=0)
    _, items = agent._cut(state, trajectory)
    item = jax.tree.map(lambda a: a[B], items)
    item = item._replace(read=item.read._replace(first=jnp.zeros(7, bool)))

    @jax.jit
    def gradient(rows):
        q = lambda r: jnp.sum(  # noqa: E731
            agent._values(state.trained.network, state.trained.memory, item._replace(rows=r))
        )
        return jax.grad(q)(rows), q(rows)

    slope, before = gradient(item.rows)
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(slope))
    _, after = gradient(jax.tree.map(lambda a: a + 1.0, item.rows))
    assert abs(float(before - after)) > 1e-6, "but the state is used"


def test_errors_by_hand(params):
    """n = 2, gamma = 1/2, rewards 1, 2 and an end for good; Q' is h of 10, 20, 30, 40."""

    agent = r2d2(params)
    other = rescale(jnp.array([[0.0, 10], [0, 20], [0, 30], [0, 40], [0, 50]]))
    q = jnp.array([[0.0, 1], [0, 1], [0, 1], [0, 1], [0, 1]])
    moves = Transitions(
        jnp.array([True, True, True, False]),
        jnp.array([1.0, 2.0, 3.0, 0.0]),
        jnp.array([0.5, 0.5, 0.0, 0.0]),
        jnp.array([True, True, False, True]),
    )
    item = Sequence(None, (), jnp.array([1, 0, 1, 1]), moves)
    aims = [1 + 0.5 * 2 + 0.25 * 30, 2 + 0.5 * 3, 3.0]
    expected = rescale(jnp.array(aims)) - jnp.array([1.0, 0.0, 1.0])
    np.testing.assert_allclose(agent._errors(q, other, item)[:3], expected, rtol=1e-5)
    cut = moves._replace(discount=jnp.array([0.5, 0.5, 0.5, 0.0]))
    aims = [1 + 0.5 * 2 + 0.25 * 30, 2 + 0.5 * 3 + 0.25 * 40, 3 + 0.5 * 40]
    expected = rescale(jnp.array(aims)) - jnp.array([1.0, 0.0, 1.0])
    errors = agent._errors(q, other, item._replace(moves=cut))
    np.testing.assert_allclose(errors[:3], expected, rtol=1e-5)


def test_the_online_network_chooses_and_the_target_network_values(params):

    agent = r2d2(params, n_step=1)
    moves = Transitions(jnp.ones(4, bool), jnp.zeros(4), jnp.ones(4), jnp.ones(4, bool))
    item = Sequence(None, (), jnp.zeros(4, jnp.int32), moves)
    q = jnp.array([[0.0, 0.0]] * 4 + [[5.0, 1.0]])
    other = rescale(jnp.array([[0.0, 0.0]] * 4 + [[3.0, 9.0]]))
    np.testing.assert_allclose(
        agent._errors(q, other, item)[-1], rescale(jnp.array(3.0)), rtol=1e-5
    )


def test_updates_target_and_what_learns(agent, played):
    state, trajectory = played
    learn = jax.jit(lambda s, t, k: agent.learn(s, t, key=k))
    one, metrics = learn(state, trajectory, jax.random.key(0))
    assert int(one.updates) == 2 and metrics["skipped_in_a_row"] == 0 and metrics["loss"] > 0
    np.testing.assert_array_equal(one.target, state.target)
    two, _ = learn(one, trajectory, jax.random.key(1))
    assert not np.array_equal(two.target, state.target), "copied after the third update"
    assert not np.array_equal(two.target, agent.learner.learned(two.trained))
    same = np.array_equal(one.trained.memory, state.trained.memory)
    assert same != agent.learner.train_memory


def test_a_nan_in_a_rollout_reaches_neither_parameters_nor_priorities(agent, played):
    state, trajectory = played
    reward = trajectory.step.reward.at[3].set(jnp.nan)
    bad = trajectory._replace(step=trajectory.step._replace(reward=reward))
    after, metrics = jax.jit(lambda s, t, k: agent.learn(s, t, key=k))(
        state, bad, jax.random.key(0)
    )
    assert np.isfinite(after.trained.network).all() and np.isfinite(after.trained.memory).all()
    assert np.isfinite(after.replay.sum_tree_state.nodes).all()
    assert metrics["skipped_in_a_row"] > 0


def test_the_ladder_of_random_actions():
    np.testing.assert_allclose(ladder(0.4, 8), [0.4 ** (1 + i) for i in range(8)], rtol=1e-5)


def test_sequences_replace_the_oldest_and_are_drawn_by_priority():
    replay = Replay(4, 4, exponent=1.0)
    state = replay.init({"x": jnp.zeros(())})
    state = jax.jit(replay.add)(state, {"x": jnp.arange(3.0)})
    state = jax.jit(replay.add)(state, {"x": jnp.arange(3.0, 6.0)})
    keys = jax.random.split(jax.random.key(0), 100)
    sample = jax.jit(lambda s: jax.vmap(lambda k: replay.sample(s, key=k))(keys))
    drawn = jax.tree.map(jnp.ravel, sample(state))
    where = {float(x): int(i) for x, i in zip(drawn.items["x"], drawn.index, strict=True)}
    assert set(where) == {2.0, 3.0, 4.0, 5.0}
    index = jnp.array([where[x] for x in (2.0, 3.0, 4.0, 5.0)])
    state = replay.set_priorities(state, index, jnp.array([6.0, 3.0, 1.0, 0.0]))
    drawn = jax.tree.map(jnp.ravel, sample(state))
    share = [float(jnp.mean(drawn.items["x"] == x)) for x in (2.0, 3.0, 4.0, 5.0)]
    np.testing.assert_allclose(share, [0.6, 0.3, 0.1, 0.0], atol=0.03)
    np.testing.assert_allclose(np.unique(drawn.probability.round(3)), [0.1, 0.3, 0.6], rtol=1e-4)


def test_importance():
    np.testing.assert_allclose(importance(jnp.array([0.1, 0.4]), 0.5), [1.0, 0.5])


def test_what_does_not_fit_says_what_to_do(params):
    state, trajectory = play(r2d2(params))
    uneven = jax.tree.map(lambda a: a[:10], trajectory.step)
    short = trajectory._replace(step=uneven, action=trajectory.action[:10])
    with pytest.raises(MemupError, match=r"divisor of the rollout's 10 steps; set agent.rollout"):
        r2d2(params).learn(state, short, key=jax.random.key(0))
    small = r2d2(params, replay=20)
    with pytest.raises(MemupError, match=r"agent.replay: it holds 5 sequences and one rollout"):
        small.learn(small.init(key=jax.random.key(0)), trajectory, key=jax.random.key(0))
