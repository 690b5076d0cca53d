"""Every agent in every action space: shapes, finite numbers, and ratios of exactly one."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cue_actions import Near

from memup.acting.rollout import begin, rollout
from memup.agents.choices import Choices, around, uniform
from memup.agents.configs import PPOConfig
from memup.agents.greedy import Greedy
from memup.agents.ppo import PPO
from memup.agents.random import RandomAgent
from memup.build.agents import Ground, make_agent
from memup.build.blueprint import Blueprint
from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple
from memup.core.tree import initial, ravel, rebuilder
from memup.memories.encoded import EncodedMemory
from memup.memories.none import NoMemory
from memup.nn.distributions import distribution_of
from memup.nn.encoders import InputEncoder
from memup.specs.spec import all_options, make_spec

SPACES = {
    "discrete": Discrete(3),
    "multi-discrete": MultiDiscrete((2, 3)),
    "multi-binary": MultiBinary(3),
    "box": Box((2,), low=(-2.0, 0.0), high=(2.0, 1.0)),
    "unbounded": Box((2,)),
    "tree": Dict({"go": Box((), low=-1.0, high=1.0), "say": Tuple((Discrete(3), MultiBinary(2)))}),
}
WHOLE = ("discrete", "multi-discrete", "multi-binary")
B, T = 4, 6


class Asked(eqx.Module):
    """A model whose outcome the test says."""

    memory: EncodedMemory


TINY = {
    "memory.size": 3,
    "agent.sequence": 5,
    "agent.burn_in": 2,
    "agent.replay": 60,
    "agent.batch_size": 4,
    "agent.minibatches": 2,
    "method.encoder": 4,
    "agent.hidden": 4,
    "agent.latent": 3,
    "agent.slots": 5,
    "agent.size": 4,
    "agent.environments": B,
}


def made(name, env):
    known = all_options({"memory": "rnn", "agent": name})
    given = {n: value for n, value in TINY.items() if n in known}
    spec = make_spec({**given, "memory": "rnn", "agent": name, "training": "end-to-end"})
    return make_agent(Ground(Blueprint(spec, env.observation_space, env.action_space), actors=B))


CASES = [
    *((agent, space) for agent in ("ppo", "impala", "merlin") for space in SPACES),
    *(("r2d2", space) for space in WHOLE),
    *(("random", space) for space in SPACES if space != "unbounded"),
]


def inside(space, action):
    match space:
        case Dict():
            return all(inside(part, action[name]) for name, part in space.spaces.items())
        case Tuple():
            return all(map(inside, space.spaces, action))
        case Box():
            return (action >= np.array(space.low)).all() and (action <= np.array(space.high)).all()
        case MultiBinary():
            return ((action == 0) | (action == 1)).all()
    most = np.array(getattr(space, "nvec", None) or space.n)
    return ((action >= 0) & (action < most)).all()


@pytest.mark.parametrize("name, space", CASES, ids=lambda v: v)
def test_acts_and_learns(name, space):
    env = Near(SPACES[space])
    agent = RandomAgent(env.space) if name == "random" else made(name, env)

    @jax.jit
    def round_of(key):
        keys = jax.random.split(key, 4)
        state = agent.init(key=keys[0])
        carry = begin(agent, state, env, B, key=keys[1])
        after, trajectory = rollout(agent, state, env, carry, T, key=keys[2])
        learned, metrics = agent.learn(state, trajectory, key=keys[3])
        likeliest = agent.act(state, after.agent, after.step, key=key, greedy=True)[1]
        ratio = jnp.ones(())
        if name in ("ppo", "impala"):
            params, _ = agent.learner.heads(state.trained.network, trajectory.extras.m)
            again = agent.policy.log_prob(params, trajectory.action)
            ratio = jnp.exp(again - trajectory.extras.log_prob)
        return state, carry, after, trajectory, learned, metrics, likeliest, ratio

    state, carry, after, trajectory, learned, metrics, likeliest, ratio = round_of(
        jax.random.key(0)
    )
    np.testing.assert_allclose(ratio, 1.0, atol=2e-5, err_msg="acting and learning agree")
    same = lambda a, b: (a.shape, a.dtype) == (b.shape, b.dtype)  # noqa: E731
    assert jax.tree.all(jax.tree.map(same, carry, after)), "a carry can be carried on"
    assert jax.tree.all(jax.tree.map(same, state, learned)), "a state can be learned on"
    assert all(np.isfinite(v) for v in metrics.values())
    assert all(leaf.shape[:2] == (T, B) for leaf in jax.tree.leaves(trajectory.action))
    assert inside(env.space, jax.tree.map(np.asarray, trajectory.action))
    assert inside(env.space, jax.tree.map(np.asarray, likeliest))


@pytest.mark.parametrize("space", [s for s in SPACES if s != "unbounded"])
def test_greedy_finds_the_best_action(space):
    """What is expected is how near each number of the action's code is to 0.6."""
    family = distribution_of(SPACES[space])

    def make(key):
        encoder = InputEncoder(Box((1,)), SPACES[space], 3, key=key)
        return Asked(EncodedMemory(encoder, NoMemory(3)))

    expect = lambda model, m, obs, a: -jnp.sum(jnp.abs(family.encode(a) - 0.6))  # noqa: E731
    agent = Greedy(ravel(make(jax.random.key(0))), rebuilder(make), expect, SPACES[space], 0.0)
    env = Near(SPACES[space])
    carry = begin(agent, agent.init(key=jax.random.key(0)), env, B, key=jax.random.key(0))
    act = jax.jit(agent.act)
    _, action, _ = act(agent.params, carry.agent, carry.step, key=jax.random.key(1))
    found = jnp.abs(family.encode(action) - 0.6).sum(-1)
    some = uniform(SPACES[space], (20_000,), key=jax.random.key(2))
    best = jnp.abs(family.encode(some) - 0.6).sum(-1).min()
    assert (found < best + 0.1).all()


def test_choices_number_all_actions():
    space = Dict({"a": MultiDiscrete((2, 3)), "b": Tuple((Discrete(2), MultiBinary(1)))})
    choices = Choices(space, "test")
    assert choices.count == 24
    np.testing.assert_array_equal(choices.index(choices.all), np.arange(24))
    one = choices.action(jnp.array(17))
    assert one["a"].tolist() == [1, 1] and int(one["b"][0]) == 0 and one["b"][1].tolist() == [1]
    rows = np.stack([np.ravel(x) for x in choices.index(choices.action(jnp.arange(24)))])
    assert rows.ravel().tolist() == list(range(24))


def test_candidates_stay_in_the_space():
    space = SPACES["tree"]
    actions = uniform(space, (5,), key=jax.random.key(0))
    near = around(space, actions, 50, 0.5, key=jax.random.key(1))
    assert near["go"].shape == (5, 50) and near["say"][1].shape == (5, 50, 2)
    assert inside(space, jax.tree.map(np.asarray, near))
    assert 0 < np.mean(np.abs(near["go"] - actions["go"][:, None])) < 0.5


@pytest.mark.parametrize(
    "space, found",
    [(Box((1,), low=0.0, high=1.0), "real numbers"), (MultiDiscrete((9, 9, 9)), "729 joint")],
)
def test_r2d2_refuses_in_one_line(space, found):
    with pytest.raises(MemupError, match=f"agent 'r2d2': expected at most 512.*{found}") as error:
        made("r2d2", Near(space))
    assert "\n" not in str(error.value)


def test_random_play_refuses_a_box_without_bounds():
    with pytest.raises(MemupError, match="expected a Box with finite bounds"):
        RandomAgent(Box((2,), low=0.0))


@pytest.mark.parametrize("factor", [1.0, 1e3, 1e6])
def test_rewards_of_any_scale_are_learned(factor):
    """With the same seed the action that pays best is found whatever the unit of rewards."""
    env = Near(MultiBinary(3), factor)

    def memory(key):
        return EncodedMemory(
            InputEncoder(env.observation_space, env.space, 8, key=key), NoMemory(8)
        )

    config = PPOConfig(hidden=16, learning_rate=1e-2, minibatches=1, gamma=0.9)
    make = rebuilder(memory)
    agent = PPO(lambda key: initial(memory, key), make, env.space, config, train_memory=True)

    @jax.jit
    def train(key):
        keys = jax.random.split(key, 3)
        state = agent.init(key=keys[0])
        carry = begin(agent, state, env, 32, key=keys[1])

        def body(now, key):
            state, carry = now
            keys = jax.random.split(key)
            carry, trajectory = rollout(agent, state, env, carry, 9, key=keys[0])
            state, _ = agent.learn(state, trajectory, key=keys[1])
            return (state, carry), jnp.mean(trajectory.action.astype(jnp.float32))

        return jax.lax.scan(body, (state, carry), jax.random.split(keys[2], 60))[1]

    flags = train(jax.random.key(0))
    assert abs(flags[0] - 0.5) < 0.1 and flags[-1] > 0.9, flags[-1]
