"""Other agents than PPO on MemUP's memory: whole runs, as small as they can be."""

import jax
import numpy as np
import tiny

import memup
from memup.api import reopen
from memup.build.job import build
from memup.phases.fit import fit
from memup.specs.spec import all_options

MORE = {"agent.sequence": 10, "agent.burn_in": 2, "agent.replay": 160, "agent.batch_size": 4}


def tiny_spec(agent, training, **more):
    given = tiny.fields(agent=agent, training=training, **MORE, **more)
    known = all_options({**given, "agent": agent})
    return memup.spec(**{name: value for name, value in given.items() if name in known})


def first(policy, workspace):
    """What the agent of a phase starts from."""
    return policy.agent.init(key=workspace.key(policy.name)).trained


def test_impala_on_a_frozen_memory():
    job = build(tiny_spec("impala", "two-phase"))
    memory = None
    for event in fit(job):
        if event.phase == "policy" and memory is None:
            memory = np.asarray(first(job.phases[3], job.workspace).memory)
    left = job.workspace.results["agent"]
    np.testing.assert_array_equal(left.trained.memory, memory)
    before = first(job.phases[3], job.workspace)
    assert not np.array_equal(left.trained.network, before.network)


def test_r2d2_side_by_side_with_the_memory():
    job = build(tiny_spec("r2d2", "joint", agent__stop_at_success=2.0))
    rows = [event.metrics for event in fit(job) if event.phase == "joint"]
    assert len(rows) > 2 and all(np.isfinite(row["loss"]) for row in rows)
    before = first(job.phases[2].policy, job.workspace).memory
    after = job.workspace.results["agent"].trained.memory
    assert np.abs(np.asarray(after - before)).max() > 1e-3, "the policy's memory follows"


def test_a_run_of_r2d2_goes_on_where_it_stopped(tmp_path):
    """The replay is part of the checkpoint."""
    spec = tiny_spec("r2d2", "end-to-end")
    memup.train(spec, tmp_path / "run")
    loaded = reopen(tmp_path / "run").job.workspace.results["agent"]
    whole = build(spec)
    for _ in fit(whole):
        pass
    jax.tree.map(np.testing.assert_array_equal, loaded, whole.workspace.results["agent"])


def test_r2d2_in_a_host_environment():
    """The replay's shapes follow the number of copies there, and its observations."""
    spec = tiny_spec("r2d2", "end-to-end", env="gym:CartPole-v1", agent__steps=128)
    job = build(spec)
    rows = [event.metrics for event in fit(job) if event.phase == "policy"]
    assert rows[-1]["env_steps"] == 128 and np.isfinite(rows[-1]["loss"])
    replay = job.workspace.results["agent"].replay.experience
    assert replay.read.obs.shape == (1, 160 // 8, 11, 4)
