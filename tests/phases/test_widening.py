"""Joint training: outcomes that random play never showed."""

import jax
import numpy as np
import tiny

import memup
from memup.build.job import build
from memup.nn.distributions import Finite, from_description
from memup.phases import detect
from memup.phases.fit import fit, resume
from memup.phases.measure import measure


def run(monkeypatch, rounds=2):
    """Yield the snapshots of a joint run whose random play seemed to be paid nothing."""
    few = Finite(((0.0,),)).describe()

    def blind(*args):
        return measure(*args) | {"likelihood": few}

    monkeypatch.setattr(detect, "measure", blind)
    job = build(memup.spec(**tiny.fields(training="joint", method__updates=60)))
    assert job.phases[2].name == "joint"
    count = 0
    for event in fit(job):
        count += event.phase == "joint"
        snapshot = event.snapshot() if event.phase == "joint" else None
        # The next round takes the arrays' room.
        yield job, snapshot and snapshot._replace(tree=jax.tree.map(np.array, snapshot.tree))
        if count == rounds:
            return


def test_a_new_reward_gets_a_density_and_the_run_goes_on(monkeypatch):
    events = list(run(monkeypatch))
    job, snapshots = events[-1][0], [snapshot for _, snapshot in events if snapshot]
    family = from_description(job.workspace.facts["likelihood"])
    assert family.finite and len(family.values[0]) > 1
    first, second = (s.tree["state"]["memory"]["train"] for s in snapshots)
    assert int(second.updates) == 2 * int(first.updates) > 0
    assert np.isfinite(np.asarray(second.model)).all()
    again = build(memup.spec(**tiny.fields(training="joint", method__updates=60)))
    again.workspace.store = job.workspace.store
    number, state, advances = resume(again, snapshots[1].about, lambda like: same(like, snapshots))
    assert (number, advances) == (2, 2) and int(state["round"]) == 2


def same(like, snapshots):
    shapes = [jax.tree.map(np.shape, tree) for tree in (like, snapshots[1].tree)]
    assert shapes[0] == shapes[1], "a run that goes on makes what the checkpoint holds"
    return snapshots[1].tree
