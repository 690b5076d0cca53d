"""The loop: events, and runs that stop in the middle and go on."""

import json
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import tiny

import memup
from memup.api import reopen
from memup.build.job import build
from memup.core.errors import MemupError
from memup.phases.fit import fit
from memup.runs import recording
from memup.runs.checkpoint import _open
from memup.runs.recording import CHECKPOINT
from memup.runs.rundir import RunDir
from memup.specs.spec import make_spec

SPEC = memup.spec(**tiny.FIELDS)
KILLING = Path(__file__).with_name("killing.py")


class Stop(Exception):
    pass


def arrays(run):
    return _open(run / "checkpoints" / CHECKPOINT)[0]


def same_run(one, two):
    a, b = arrays(one), arrays(two)
    assert set(a) == set(b)
    for name in a:
        assert a[name].tobytes() == b[name].tobytes(), name
    for kind in ("metrics", "eval"):
        rows = [tiny.without_times(RunDir.open(run).rows(kind)) for run in (one, two)]
        assert rows[0] == rows[1]


def test_events_can_be_taken_one_by_one():
    events = list(islice(fit(build(SPEC)), 3))
    # One short episode a copy tells that each can play the other three in one round.
    assert [(e.phase, e.step) for e in events[:2]] == [("collect", 1), ("collect", 2)]
    assert [e.last for e in events] == [False, True, False]
    played = events[1].metrics
    assert played["episodes"] == 32 and played["stored_steps"] > 32 * 11
    assert played["stored_steps"] <= played["env_steps"] < 2 * played["stored_steps"]
    assert events[2].phase == "detect"
    about = events[2].snapshot().about
    assert (about["phase"], about["advances"], about["episodes"]) == (1, 1, 32)
    assert about["facts"]["likelihood"]["values"] == [[-3.0, 0.0, 4.0]]


def test_a_finished_run_has_all_that_the_design_promises():
    run = RunDir.open(tiny.finished_run())
    rows = run.rows("metrics")
    phases = list(dict.fromkeys(row["phase"] for row in rows))
    assert phases == ["collect", "detect", "memory", "policy", "evaluate", "explain"]
    for phase in phases:
        steps = [row["step"] for row in rows if row["phase"] == phase]
        assert steps == list(range(1, len(steps) + 1))
    wall = [row["wall_s"] for row in rows]
    assert wall == sorted(wall)
    assert run.status()["state"] == "done" and len(run.rows("eval")) == 1
    assert (run.path / "explain.json").exists() and any((run.path / "tensorboard").iterdir())
    losses = [row["held_out_loss"] for row in rows if row["phase"] == "detect"]
    assert losses[-1] < losses[0]


def test_an_error_in_the_middle_leaves_a_run_that_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "CHECKPOINT_EVERY_S", 0.0)
    seen = []

    def stop(row):
        seen.append(row)
        if row["phase"] == "memory" and row["step"] == 3:
            raise Stop

    with pytest.raises(Stop):
        memup.train(SPEC, tmp_path / "run", on_row=stop)
    assert RunDir.open(tmp_path / "run").status()["state"] == "failed"
    with pytest.raises(MemupError, match="has not finished"):
        reopen(tmp_path / "run")
    memup.train(SPEC, tmp_path / "run")
    same_run(tmp_path / "run", tiny.finished_run())


def test_a_finished_run_is_not_trained_again(tmp_path):
    run = tiny.copy_of_finished_run(tmp_path)
    memup_eval = {"name": "evaluation", "return_mean": 1.0}
    RunDir.open(run).append("eval", memup_eval)
    rows = []
    result = memup.train(SPEC, run, on_row=rows.append)
    assert rows == [] and RunDir.open(run).status()["state"] == "done"
    assert RunDir.open(run).rows("eval")[-1] == memup_eval, "later evaluations are kept"
    np.testing.assert_array_equal(
        result.job.workspace.results["agent"].trained.network,
        reopen(run).job.workspace.results["agent"].trained.network,
    )


def test_another_spec_is_refused_and_nothing_is_overwritten(tmp_path):
    run = tiny.copy_of_finished_run(tmp_path)
    before = {p: p.read_bytes() for p in run.rglob("*") if p.is_file()}
    with pytest.raises(MemupError, match=r"method\.window=4, asked for 3.*--fresh"):
        memup.train(SPEC.replace({"method.window": 3}), run)
    assert {p: p.read_bytes() for p in run.rglob("*") if p.is_file()} == before


def test_the_state_of_another_memory_is_refused(tmp_path):
    run = tiny.copy_of_finished_run(tmp_path)
    record = json.loads((run / "spec.json").read_text())
    changed = make_spec(record["spec"]).replace({"memory": "gru"})
    (run / "spec.json").write_text(json.dumps({**record, "spec": dict(changed)}))
    with pytest.raises(MemupError, match=r"of a run with memory=rnn, expected gru"):
        reopen(run)


def test_a_run_without_its_episodes_says_so(tmp_path):
    run = tiny.copy_of_finished_run(tmp_path)
    shutil.rmtree(run / "store")
    with pytest.raises(MemupError, match="store has 0 of 32 episodes: a run is loaded with the"):
        reopen(run)


def test_sizes_that_do_not_fit_stop_a_run_before_it_has_stored_anything(tmp_path):
    wrong = SPEC.replace({"memory": "rmt", "memory.size": 8, "memory.heads": 3})
    with pytest.raises(MemupError, match=r"memory\.size=8: expected a multiple of memory\.heads=3"):
        memup.train(wrong, tmp_path / "run")
    assert {p.name for p in (tmp_path / "run").iterdir()} <= {"spec.json", "status.json", ".lock"}


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_a_damaged_checkpoint_is_refused_and_kept(tmp_path, damage):
    run = tiny.copy_of_finished_run(tmp_path)
    path = run / "checkpoints" / CHECKPOINT
    data = bytearray(path.read_bytes())
    if damage == "flip":
        data[-3] ^= 1
    path.write_bytes(bytes(data[:-9] if damage == "cut" else data))
    kept = path.read_bytes()
    for action in (reopen, lambda p: memup.train(SPEC, p)):
        with pytest.raises(MemupError, match="damaged"):
            action(run)
    assert path.read_bytes() == kept
    assert len(RunDir.open(run).rows("metrics")) == len(
        RunDir.open(tiny.finished_run()).rows("metrics")
    )


def test_killed_at_random_moments_the_numbers_are_the_same():
    parts = [("two-phase", 1), ("joint", 2), ("end-to-end", 1)]
    processes = []
    for training, kills in parts:
        command = [sys.executable, str(KILLING), "--kills", str(kills), "--training", training]
        pipe = subprocess.PIPE
        processes.append(subprocess.Popen([*command, "--json"], stdout=pipe, stderr=pipe))
    for (training, kills), process in zip(parts, processes, strict=True):
        out, errors = process.communicate()
        assert process.returncode in (0, 1), errors.decode()[-3000:]
        [result] = json.loads(out)["results"]
        assert result["differences"] == [] and result["training"] == training
        assert result["rows"] > 4 and len(result["killed_at"]) == kills
