"""Every agent: arrays in and out, actions in range, the same again for the same key."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.acting.rollout import begin, rollout
from memup.agents.greedy import Greedy
from memup.agents.impala import IMPALA
from memup.agents.ppo import PPO
from memup.agents.r2d2 import R2D2
from memup.agents.random import RandomAgent
from memup.agents.table import AGENTS
from memup.build.agents import Ground, make_agent
from memup.build.blueprint import Blueprint
from memup.core.tree import ravel, rebuilder
from memup.core.types import StepInput
from memup.envs.tmaze import TMaze
from memup.memories.encoded import EncodedMemory
from memup.memories.make import make_memory
from memup.memories.table import MEMORIES
from memup.nn.encoders import InputEncoder
from memup.specs.spec import all_options, make_spec

ENV, B, T = TMaze(3), 4, 6


def memory(key):
    encoder = InputEncoder(ENV.observation_space, ENV.action_space, 4, key=key)
    return EncodedMemory(encoder, make_memory("rnn", 4, key=key, size=3))


class Asked(eqx.Module):
    """A model that expects of action a what output a of its memory says."""

    memory: EncodedMemory


def greedy(tie, action_indifferent=None):
    make = lambda key: Asked(memory(key))  # noqa: E731
    params = ravel(make(jax.random.key(0)))
    return Greedy(
        params,
        rebuilder(make),
        lambda model, m, obs, action: m[action],
        ENV.action_space,
        tie,
        action_indifferent,
    )


def made(name, training="end-to-end", memory="rnn"):
    """The agent that a run has, on a tiny memory."""
    known = all_options({"memory": memory, "agent": name})
    given = {n: value for n, value in TINY.items() if n in known}
    if memory != "rnn":
        given.pop("memory.size", None)
    spec = make_spec({**given, "memory": memory, "agent": name, "training": training})
    return make_agent(Ground(Blueprint(spec, ENV.observation_space, ENV.action_space), actors=B))


TINY = {
    "memory.size": 3,
    "agent.sequence": 5,
    "agent.burn_in": 2,
    "agent.replay": 60,
    "agent.batch_size": 4,
    "agent.minibatches": 2,
    "encoder.size": 4,
    "agent.hidden": 4,
    "agent.latent": 3,
    "agent.slots": 5,
    "agent.size": 4,
    "agent.environments": B,
}
MAKERS = {
    "greedy": lambda: greedy(0.0),
    "random": lambda: RandomAgent(ENV.action_space),
    **{f"{name} alone": partial(made, name) for name in AGENTS if name != "greedy"},
    **{
        f"{name} on a frozen memory": partial(made, name, "two-phase")
        for name in AGENTS
        if name not in ("greedy", "merlin")
    },
}


@pytest.fixture(scope="module", params=sorted(MAKERS))
def agent(request):
    return MAKERS[request.param]()


def same_kind(a, b):
    return a.shape == b.shape and a.dtype == b.dtype


def test_contract(agent):
    @jax.jit
    def round_of(key):
        keys = jax.random.split(key, 4)
        state = agent.init(key=keys[0])
        carry = begin(agent, state, ENV, B, key=keys[1])
        after, trajectory = rollout(agent, state, ENV, carry, T, key=keys[2])
        learned, metrics = agent.learn(state, trajectory, key=keys[3])
        greedy = [
            agent.act(state, after.agent, after.step, key=k, greedy=True)[1] for k in keys[:2]
        ]
        return state, carry, after, trajectory, learned, metrics, greedy

    state, carry, after, trajectory, learned, metrics, greedy = round_of(jax.random.key(5))
    assert trajectory.action.shape == (T, B)
    assert jnp.issubdtype(trajectory.action.dtype, jnp.integer)
    assert ((trajectory.action >= 0) & (trajectory.action < 2)).all()
    assert jax.tree.all(jax.tree.map(same_kind, carry, after)), "a carry can be carried on"
    assert jax.tree.all(jax.tree.map(same_kind, state, learned)), "a state can be learned on"
    assert all(np.isfinite(v) for v in metrics.values())
    if isinstance(agent, PPO | IMPALA) or (
        isinstance(agent, R2D2) and not isinstance(trajectory.extras, tuple)
    ):
        values = jax.jit(agent.values)(state, trajectory)
        assert values.shape == (T, B) and np.isfinite(values).all(), "joint training may ask"
    assert jax.tree.all(jax.tree.map(lambda a: isinstance(a, jax.Array), state))
    if not isinstance(agent, RandomAgent):
        assert np.array_equal(*greedy), "greedy actions do not depend on the key"
    again = round_of(jax.random.key(5))[3]
    np.testing.assert_array_equal(again.action, trajectory.action)


@pytest.mark.parametrize("memory", MEMORIES)
def test_agents_take_every_memory(memory):
    """Shapes alone, nothing is compiled; R2D2 asks most of a memory, and all share the learner."""
    agent = made("r2d2", memory=memory)

    def once(key):
        state = agent.init(key=key)
        carry = begin(agent, state, ENV, B, key=key)
        _, trajectory = rollout(agent, state, ENV, carry, T, key=key)
        return state, agent.learn(state, trajectory, key=key)[0]

    before, after = jax.eval_shape(once, jax.random.key(0))
    assert jax.tree.all(jax.tree.map(same_kind, before, after))


def test_greedy_takes_what_is_expected_to_be_best():
    agent = greedy(0.0)
    state = agent.init(key=jax.random.key(0))
    carry = begin(agent, state, ENV, B, key=jax.random.key(1))
    _, m = jax.vmap(agent.model(state).memory.step)(
        carry.agent.memory,
        StepInput(carry.step.obs, carry.agent.action, carry.step.reward, carry.step.first),
    )
    _, action, _ = agent.act(state, carry.agent, carry.step, key=jax.random.key(2))
    best = m[:, :2] == m[:, :2].max(-1, keepdims=True)
    assert best[np.arange(B), action].all() and not best.all()


@pytest.mark.parametrize("tie, action_indifferent", [(100.0, None), (0.0, lambda obs: obs[0] < 9)])
def test_greedy_draws_among_equals(tie, action_indifferent):
    """Also where the step settles it: a repeated action is not what a memory was trained on."""
    agent = greedy(tie, action_indifferent)
    state = agent.init(key=jax.random.key(0))
    carry = begin(agent, state, ENV, B, key=jax.random.key(1))
    keys = jax.random.split(jax.random.key(3), 50)
    act = jax.jit(lambda k: agent.act(state, carry.agent, carry.step, key=k)[1])
    actions = np.stack([act(k) for k in keys])
    assert 0.3 < actions.mean() < 0.7


def test_greedy_does_not_ask_where_the_step_settles_it():
    hinted = lambda obs: obs[0] > 0  # noqa: E731
    agents = greedy(0.0), greedy(0.0, action_indifferent=hinted)
    state = agents[0].init(key=jax.random.key(0))
    key = jax.random.key(1)
    asked = []
    for seed in range(3):
        carry = begin(agents[0], state, ENV, 16, key=jax.random.key(seed))
        free, bound = (a.act(state, carry.agent, carry.step, key=key)[1] for a in agents)
        known = np.asarray(carry.step.obs[:, 0] > 0)
        assert 0 < known.sum() < 16
        np.testing.assert_array_equal(bound[~known], free[~known])
        asked.append(np.asarray(bound != free)[known])
    assert 0.2 < np.concatenate(asked).mean() < 0.8, "any action will do"
