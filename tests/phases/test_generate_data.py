"""Filling a store from a task, and a task's run that stops and goes on."""

import numpy as np
import pytest
import tiny

import memup
from memup.data.store import EpisodeStore
from memup.phases import generate_data
from memup.phases.base import Workspace
from memup.runs import recording
from memup.runs.checkpoint import _open
from memup.runs.recording import CHECKPOINT
from memup.runs.rundir import RunDir
from memup.tasks.copy import Copy

SMALL = {n: v for n, v in tiny.FIELDS.items() if n.split(".")[0] in {"memory", "method", "detect"}}
SPEC = memup.spec(
    **{
        **SMALL,
        "task": "copy-12",
        "training": "supervised",
        "method.target": "label",
        "method.query_length": 3,
        "method.order": "jump",
        "method.final_lr_fraction": 0.5,
        "collect.episodes": 40,
        "evaluate.episodes": 8,
    }
)


def filled(most, monkeypatch):
    monkeypatch.setattr(generate_data, "ROUND", most)
    workspace = Workspace(None, EpisodeStore(), Copy(5).space, None, 3, 1, Copy(5))
    phase, rounds, last = generate_data.GenerateData(10), 0, False
    state = phase.start(workspace)
    while not last:
        state, metrics, last = phase.advance(workspace, state)
        rounds += 1
    return workspace.store, rounds, metrics


def test_rounds_draw_what_is_left(monkeypatch):
    store, rounds, metrics = filled(4 * 25, monkeypatch)
    assert (len(store), rounds) == (10, 3), "4, 4 and 2 sequences of 25 steps"
    assert metrics["progress"] == 1.0
    sequences = {store.episode(i)["obs"].tobytes() for i in range(10)}
    assert len(sequences) == 10, "rounds differ"
    assert set(store.fields) == {"obs", "label"}, "what is asked is not told"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was not stopped, of three rounds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generate_data, "ROUND", 16 * 32)
        return memup.train(SPEC, tmp_path_factory.mktemp("whole") / "run").path


@pytest.mark.parametrize(("phase", "step"), [("collect", 2), ("detect", 1), ("memory", 3)])
def test_a_stopped_run_ends_as_if_it_had_not_been(whole, tmp_path, monkeypatch, phase, step):
    monkeypatch.setattr(recording, "CHECKPOINT_EVERY_S", 0.0)
    monkeypatch.setattr(generate_data, "ROUND", 16 * 32)

    class Stop(Exception):
        pass

    def stop(row):
        if (row["phase"], row["step"]) == (phase, step):
            raise Stop

    with pytest.raises(Stop):
        memup.train(SPEC, tmp_path / "run", on_row=stop)
    memup.train(SPEC, tmp_path / "run")
    a, b = (_open(r / "checkpoints" / CHECKPOINT)[0] for r in (whole, tmp_path / "run"))
    assert set(a) == set(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name])
    rows = [tiny.without_times(RunDir.open(r).rows("eval")) for r in (whole, tmp_path / "run")]
    assert rows[0] == rows[1] and rows[0][0]["env"] == "copy-12"
