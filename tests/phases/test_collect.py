"""How many episodes are collected, and in how many copies."""

import numpy as np
import pytest

from memup.build import job
from memup.data.store import EpisodeStore
from memup.envs.table import make_env
from memup.phases import collect
from memup.phases.base import Workspace
from memup.specs.spec import make_spec


def collected(env_id, **fields):
    env = make_env(env_id)
    workspace = Workspace(env, EpisodeStore(), env.observation_space, env.action_space, 0)
    phase = job.Builder(make_spec({"env": env_id, **fields})).phases()[0]
    state, last, notes, rounds = phase.start(workspace), False, [], []
    while not last:
        before = len(workspace.store)
        state, metrics, last = phase.advance(workspace, state)
        rounds.append(len(workspace.store) - before)
        notes += [metrics["note"]] if "note" in metrics else []
    return workspace.store, rounds, notes


def test_without_a_number_episodes_are_as_many_as_fit(monkeypatch):
    of_one = 13 * (8 * 8 * 3 + 16)
    monkeypatch.setattr(job, "STORE_BYTES", 50 * of_one)
    fields = {"collect.environments": 4}
    store, rounds, notes = collected("image-cue-12-side-8", **fields)
    assert 50 <= len(store) < 54 and rounds[0] == 4
    assert notes == ["52 episodes: 2000 would not fit into 1 GB"]
    # Who says how many gets so many.
    store, _, notes = collected("image-cue-12-side-8", **fields, **{"collect.episodes": 60})
    assert len(store) == 60 and not notes


def test_without_a_number_of_small_observations_there_are_2000():
    store, rounds, notes = collected("tmaze-5")
    assert 2000 <= len(store) < 2256 and rounds[0] == 256 and not notes


@pytest.mark.parametrize("fit", [3, 10**6])
def test_of_large_observations_fewer_copies_play(fit, monkeypatch):
    step = 8 * 8 * 3 + 16
    monkeypatch.setattr(collect, "ROUND_BYTES", fit * collect.ROUND_STEPS * step)
    fields = {"collect.environments": 8, "collect.episodes": 16}
    store, rounds, _ = collected("image-cue-12-side-8", **fields)
    assert rounds[0] == min(8, fit)
    assert all(np.isin(store.lengths(), [13]))
