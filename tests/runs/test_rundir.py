import json
import os
import subprocess
import sys

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.core.jsonfiles import plain
from memup.runs.rundir import RunDir, flatten

SPEC = {"env": "tmaze-10", "seed": 1, "memory": {"name": "gru", "size": 8}}


@pytest.fixture
def run(tmp_path):
    with RunDir.create(tmp_path / "run", SPEC) as made:
        yield made


def test_create_records_what_made_the_run(run):
    record = run.read_json("spec.json")
    assert record["spec"] == SPEC == run.spec
    assert {"python", "jax", "memup"} <= set(record["versions"])
    assert record["commit"] is None or len(record["commit"]) == 40
    assert record["created"].startswith("20")


def test_an_equal_spec_goes_on_and_another_is_refused(run):
    run.append("metrics", {"step": 1})
    run.close()
    with RunDir.create(run.path, SPEC) as again:
        assert again.rows("metrics") == [{"step": 1}]
    other = SPEC | {"memory": {"name": "gru", "size": 16}}
    with pytest.raises(MemupError, match=r"memory\.size=8, asked for 16.*--fresh.*--run-dir"):
        RunDir.create(run.path, other)
    with pytest.raises(MemupError, match="extra=absent, asked for 1"):
        RunDir.create(run.path, SPEC | {"extra": 1})
    assert run.spec == SPEC


def test_a_spec_that_failed_at_once_may_be_corrected(run):
    run.set_status("failed", "start", "memory.size=8: expected ...")
    run.close()
    other = SPEC | {"seed": 2}
    with RunDir.create(run.path, other) as again:
        assert again.spec == other
        again.append("metrics", {"step": 1})
        again.set_status("failed", "memory", "the disk is full")
    with pytest.raises(MemupError, match="seed=2, asked for 1"):
        RunDir.create(run.path, SPEC)


def test_fresh_starts_beside(run):
    paths = []
    for _ in range(2):
        with RunDir.create(run.path, SPEC | {"seed": 2}, fresh=True) as beside:
            paths.append(beside.path.name)
    assert paths == ["run-2", "run-3"]
    with RunDir.create(run.path.with_name("new"), SPEC, fresh=True) as new:
        assert new.path.name == "new"


def test_a_directory_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(MemupError, match="not a run directory"):
        RunDir.create(tmp_path, SPEC)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.tex"]
    (tmp_path / "file").write_text("x")
    for action in (lambda p: RunDir.create(p, SPEC), RunDir.open):
        with pytest.raises(MemupError):
            action(tmp_path / "file")


def test_a_creation_killed_half_way_is_taken_over(tmp_path):
    (tmp_path / ".lock").touch()
    (tmp_path / ".spec.json.77.tmp").write_text("{")
    with RunDir.create(tmp_path, SPEC) as run:
        assert run.spec == SPEC


@pytest.mark.parametrize("text", [None, "", '{"spec": {', "[]", '{"spec": 3}'])
def test_a_missing_or_cut_spec_is_one_line(tmp_path, text):
    if text is not None:
        (tmp_path / "spec.json").write_text(text)
    with pytest.raises(MemupError) as caught:
        RunDir.open(tmp_path)
    assert "\n" not in str(caught.value) and str(tmp_path) in str(caught.value)
    if text is not None:
        with pytest.raises(MemupError):
            RunDir.create(tmp_path, SPEC)
        assert (tmp_path / "spec.json").read_text() == text


def test_rows_survive_a_cut_line(run):
    assert run.rows("eval") == []
    run.append("metrics", {"step": 1})
    with (run.path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 2, "lo' + "s" * 9000)
    assert run.rows("metrics") == [{"step": 1}]
    run.append("metrics", {"step": 3})
    assert run.rows("metrics") == [{"step": 1}, {"step": 3}]


def test_a_broken_line_in_the_middle_is_named(run):
    (run.path / "metrics.jsonl").write_text('{"step": 1}\n???\n{"step": 3}\n')
    with pytest.raises(MemupError, match="line 2"):
        run.rows("metrics")


def test_truncate_keeps_the_first_rows(run):
    for step in range(5):
        run.append("metrics", {"step": step})
    before = (run.path / "metrics.jsonl").read_bytes()
    assert run.truncate("metrics", 9) == 5
    assert run.truncate("metrics", 3) == 3
    assert [row["step"] for row in run.rows("metrics")] == [0, 1, 2]
    for step in (3, 4):
        run.append("metrics", {"step": step})
    assert (run.path / "metrics.jsonl").read_bytes() == before
    assert run.truncate("eval", 4) == 0


def test_numbers_that_json_lacks(run):
    row = {"a": float("nan"), "b": np.float32("inf"), "c": np.arange(2), "d": np.int64(3)}
    run.append("eval", row | {"e": (run.path,)})
    text = (run.path / "eval.jsonl").read_text()
    assert json.loads(text, parse_constant=pytest.fail) == run.rows("eval")[0]
    expected = {"a": None, "b": None, "c": [0, 1], "d": 3, "e": [str(run.path)]}
    assert run.rows("eval") == [expected]
    with pytest.raises(TypeError, match="object"):
        plain(object())


def test_status(run):
    assert run.status()["state"] == "unknown"
    run.set_status("running", "memory")
    assert run.status().items() >= {"state": "running", "phase": "memory"}.items()
    run.set_status("failed", "memory", error="loss is not finite")
    assert run.status()["error"] == "loss is not finite"


def test_one_writer_at_a_time(run):
    code = (
        "import sys; from memup.runs.rundir import RunDir\n"
        "from memup.core.errors import MemupError\n"
        "try: RunDir.open(sys.argv[1], write=True)\n"
        "except MemupError as error: print(error)"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    assert run.in_use()
    assert "in use" in subprocess.check_output(command, text=True)
    with pytest.raises(MemupError, match="in use"):
        RunDir.create(run.path, SPEC)
    run.close()
    assert not run.in_use()
    assert subprocess.check_output(command, text=True) == ""


def test_a_dropped_directory_releases_its_lock(tmp_path):
    RunDir.create(tmp_path, SPEC)
    RunDir.create(tmp_path, SPEC).close()


FULL = """
import resource, sys
from memup.core.errors import MemupError
from memup.runs.rundir import RunDir
run = RunDir.create(sys.argv[1], {"seed": 1})
run.append("metrics", {"step": 1})
resource.setrlimit(resource.RLIMIT_FSIZE, (40, 40))
for action in (lambda: run.append("metrics", {"text": "x" * 80}),
               lambda: run.write_json("status.json", "x" * 80)):
    try: action()
    except MemupError as error: print(error)
assert "jax" not in sys.modules and "numpy" not in sys.modules
"""


def test_a_full_disk_is_one_line_and_breaks_nothing(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path / "run")]
    lines = subprocess.check_output(command, text=True).splitlines()
    assert len(lines) == 2 and all("cannot write" in line for line in lines)
    run = RunDir.open(tmp_path / "run")
    assert run.rows("metrics") == [{"step": 1}]
    assert sorted(os.listdir(run.path)) == [".lock", "metrics.jsonl", "spec.json"]


def test_flatten():
    flat = {"env": "tmaze-10", "seed": 1, "memory.name": "gru", "memory.size": 8}
    assert flatten(SPEC) == flat
