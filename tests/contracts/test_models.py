"""Every agent, after any training, is the same from its model file as inside its run."""

import jax
import numpy as np
import pytest
import tiny
from cue_actions import Near

import memup
from memup.agents.table import AGENTS
from memup.core.spaces import Box, Dict, Discrete, MultiBinary, Tuple
from memup.core.types import TimeStep
from memup.envs.table import make_env
from memup.specs.spec import all_options

TRAININGS = {
    "ppo": ("two-phase", "joint", "end-to-end"),
    "r2d2": ("joint",),
    "greedy": ("two-phase",),
}
RUNS = [(agent, how) for agent in sorted(AGENTS) for how in TRAININGS.get(agent, ("end-to-end",))]
# In their run draws come from an older copy of the policy; a model file holds the newest.
LAGGING = ("impala", "impala-st")
SMALL = {
    "agent.sequence": 6,
    "agent.burn_in": 2,
    "agent.replay": 96,
    "agent.batch_size": 4,
    "agent.latent": 3,
    "agent.slots": 5,
    "agent.size": 4,
    "agent.steps": 512,
    "method.updates": 20,
    "method.patience": 0,
    "detect.updates": 50,
    "evaluate.episodes": 4,
}
TREE = Dict({"go": Box((2,), low=-1.0, high=1.0), "say": Tuple((Discrete(3), MultiBinary(2)))})
B, T = 6, 14


def trained(agent, training, env=None):
    given = {**tiny.fields(agent=agent, training=training), **SMALL}
    known = all_options(given)
    fields = {name: value for name, value in given.items() if name in known}
    return memup.train(memup.spec(**fields), env=env)


def shown(env, key):
    """Step copies of an environment with actions that are given; episodes begin anew."""
    keys = jax.random.split(key, B)
    reset = jax.jit(jax.vmap(lambda key: env.reset(key=key)))
    step = jax.jit(jax.vmap(lambda state, action, key: env.step(state, action, key=key)))
    return reset(keys), lambda state, action, t: step(state, action, jax.random.split(keys[0], B))


def acts_alike(run, model, env, *, told, greedy=False):
    """Play with the run's agent, and ask the model for the same draws at every step.

    Args:
        run: the run.
        model: what was loaded from its file.
        env: where.
        told: give the model the previous action, instead of leaving it to what it chose.
        greedy: choose the likeliest actions.
    """
    phase = next(p for p in run.job.phases if p.name == "evaluate")
    agent, state = phase.trained.agent, run.job.workspace.results["agent"]
    (where, now), step = shown(env, jax.random.key(2))
    carry, ours = agent.begin(state, B), model.begin(B, seed=5)
    before, drawn = None, []
    act = jax.jit(lambda carry, now, key: agent.act(state, carry, now, key=key, greedy=greedy)[:2])
    for t in range(T):
        now = TimeStep(*now)._replace(first=np.full(B, t % 9 == 0))
        carry, action = act(carry, now, jax.random.fold_in(jax.random.key(5), t))
        obs, reward, first = jax.tree.map(np.asarray, (now.obs, now.reward, now.first))
        given = before if told else None
        ours, chosen = model.act(ours, obs, given, reward, first, greedy=greedy)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), chosen, action)
        before = chosen
        drawn.append(np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(chosen)]))
        where, now = step(where, action, t)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-4), ours.state, carry)
    return np.stack(drawn)


@pytest.mark.parametrize("agent, training", RUNS)
def test_a_loaded_model_acts_as_inside_its_run(agent, training, tmp_path):
    run = trained(agent, training)
    model = memup.load(run.save(tmp_path / "model.safetensors"))
    assert model.can_act and model.can_predict == (training != "end-to-end")
    greedy = agent in LAGGING
    drawn = acts_alike(run, model, make_env("tmaze-10"), told=False, greedy=greedy)
    assert greedy or len(np.unique(drawn)) > 1, "equal for another reason"


@pytest.mark.parametrize("space", [Box((2,), low=-2.0, high=2.0), TREE], ids=["box", "tree"])
def test_any_action_is_given_back_as_the_previous_one(space, tmp_path):
    env = Near(space)
    run = trained("ppo", "end-to-end", env)
    model = memup.load(run.save(tmp_path / "model.safetensors"))
    assert model.action_space == space
    told = acts_alike(run, model, env, told=True)
    np.testing.assert_array_equal(acts_alike(run, model, env, told=False), told)
