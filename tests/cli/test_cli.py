"""The command line: its exit codes, its one-line errors, its JSON."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tiny

from memup.cli import main
from memup.cli.list import KINDS
from memup.runs.rundir import RunDir

MEMUP = [
    sys.executable,
    "-c",
    "import sys; sys.argv[0] = 'memup'; from memup.cli import main; sys.exit(main())",
]


def run(capfd, *argv):
    """Return exit code, standard output and standard error."""
    code = main([str(word) for word in argv])
    out, err = capfd.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    "argv, expected",
    [
        ("trian", "did you mean 'train'?"),
        ("train tmaze-1001", "unknown preset 'tmaze-1001'; did you mean 'tmaze-100'?"),
        ("train", "what should be trained?"),
        ("train tmaze-100 --windw 3", "unknown option '--windw'"),
        ("train tmaze-100 --method.windw 3", "did you mean '--method.window'?"),
        ("train tmaze-100 --method.window 0", "method.window=0: expected at least 1"),
        (
            "train tmaze-100 --method.target return --method.target.gamma 2",
            "method.target.gamma=2.0: expected at most 1.0",
        ),
        ("train --env tmaze-x", "'tmaze-x'"),
        ("train --env tmaze-10 --memory lsmt", "did you mean 'lstm'?"),
        ("train --env tmaze-10 --memory none --memory.size 3", "--memory.size"),
        ("train --env gym:NoSuchThing-v0", "NoSuchThing"),
        ("train --dataset nowhere", "nowhere"),
        ("train tmaze-100 extra", "unexpected 'extra'"),
        ("train --quiet --seed 0 cartpole-r2d2 --agent.burnin 1", "mean '--agent.burn_in'?"),
        ("eval nowhere", "nowhere is not a run directory"),
        ("eval nowhere --episodes 0", "expected at least 1"),
        ("eval nowhere --episodes many", "invalid int value"),
        ("report nowhere", "nowhere is not a run directory"),
        ("list memory", "did you mean 'memories'?"),
        ("bench speeed", "unknown benchmark suite"),
    ],
)
def test_mistakes_are_one_line_and_exit_with_2(capfd, tmp_path, monkeypatch, argv, expected):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capfd, *argv.split())
    last = err.splitlines()[-1]
    assert code == 2 and out == "" and last.startswith("memup: ") and expected in last
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("checkpoints"))


def test_debug_shows_where_it_was_raised():
    from memup.core.errors import MemupError

    with pytest.raises(MemupError):
        main(["trian", "--debug"])


@pytest.mark.parametrize("kind", KINDS)
def test_lists(capfd, kind):
    code, out, _ = run(capfd, "list", kind, "--json")
    items = json.loads(out)["items"]
    assert code == 0 and all(item["name"] and item["summary"] for item in items)
    _, text, _ = run(capfd, "list", kind)
    assert [line.split()[0] for line in text.splitlines()] == [i["name"].split()[0] for i in items]
    assert items or kind == "tasks"


def test_the_list_of_memories_says_how_large_they_are(capfd):
    _, out, _ = run(capfd, "list", "memories", "--json")
    lstm = next(item for item in json.loads(out)["items"] if item["name"] == "lstm")
    assert (lstm["input_size"], lstm["parameters"], lstm["state_numbers"]) == (64, 33024, 128)
    assert "1997" in lstm["paper"]
    _, text, _ = run(capfd, "list", "memories")
    assert "33,024 parameters    128 in state" in text


def test_help_names_every_verb_and_every_field(capfd):
    code, out, _ = run(capfd, "--help")
    assert code == 0 and all(verb in out for verb in ("train", "eval", "report", "doctor"))
    with pytest.raises(SystemExit) as done:
        main(["train", "--env", "tmaze-10", "--memory", "gru", "--help"])
    assert done.value.code == 0
    out = capfd.readouterr().out
    for name in tiny.FIELDS:
        assert f"--{name} " in out


LIGHT = """
import sys, time
begin = time.perf_counter()
sys.argv[0] = "memup"
from memup.cli import main
code = main({argv})
heavy = {{"jax", "numpy", "equinox", "gymnasium", "plotly"}} & set(sys.modules)
print(code, sorted(heavy), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "argv", [["--help"], ["list", "envs"], ["list", "memories"], ["list", "presets", "--json"]]
)
def test_light_verbs_answer_at_once_and_import_nothing_heavy(argv):
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        command = [sys.executable, "-c", LIGHT.format(argv=argv)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - begin)
        assert done.stderr.splitlines()[-1] == "0 []"
        if seconds[-1] < 1:
            break
    assert min(seconds) < 1


KEYS = "run env episodes seed return_mean return_ci95 success_rate length_mean steps_per_second"


def test_eval_prints_one_object_and_keeps_a_row(capfd, tmp_path):
    path = tiny.copy_of_finished_run(tmp_path)
    code, out, _ = run(capfd, "eval", path, "--episodes", 8, "--seed", 3, "--json")
    row = json.loads(out)
    assert code == 0 and len(out.splitlines()) == 1
    assert set(KEYS.split()) <= set(row)
    assert (row["run"], row["env"], row["episodes"], row["seed"]) == (str(path), "tmaze-10", 8, 3)
    low, high = row["return_ci95"]
    assert low <= row["return_mean"] <= high and row["steps_per_second"] > 0
    assert RunDir.open(path).rows("eval")[-1]["return_mean"] == row["return_mean"]
    code, out, _ = run(capfd, "eval", path, "--env", "tmaze-15", "--episodes", 4, "--json")
    assert json.loads(out)["length_mean"] >= 15
    code, _, err = run(capfd, "eval", path, "--env", "gym:CartPole-v1", "--json")
    assert code == 2 and "spaces differ" in err


def test_report_of_a_run_that_is_not_finished(capfd, tmp_path):
    path = tiny.copy_of_finished_run(tmp_path)
    metrics = path / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:6]) + '{"cut')
    for name in ("eval.jsonl", "explain.json", "status.json"):
        (path / name).unlink()
    code, out, _ = run(capfd, "report", path)
    assert code == 0 and Path(out.strip()).read_text().startswith("<!")


def test_a_reader_that_has_gone():
    command = [*MEMUP, "list", "envs"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.returncode == 0 and done.stderr == ""


def test_interrupted_it_exits_with_130_and_the_same_command_goes_on(capfd, tmp_path):
    path = tmp_path / "run"
    command = [*MEMUP, "train", *tiny.words(), "--run-dir", str(path), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (path / "metrics.jsonl").exists() or len(RunDir.open(path).rows("metrics")) < 6:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130 and out == ""
    assert err.splitlines()[-1] == "memup: interrupted"
    kept = RunDir.open(path).rows("metrics")
    assert RunDir.open(path).status()["state"] == "interrupted"
    code, out, err = run(capfd, "train", *tiny.words(), "--run-dir", path)
    assert code == 0 and out.splitlines()[-1] == str(path / "report.html")
    assert (path / "report.html").exists() and "MemUP" in out
    rows = RunDir.open(path).rows("metrics")
    assert rows[: len(kept)] == kept, "what was done is not done again"
    finished = RunDir.open(tiny.finished_run()).rows("metrics")
    assert tiny.without_times(rows) == tiny.without_times(finished)
    code, _, err = run(capfd, "train", *tiny.words(seed=5), "--run-dir", path)
    assert code == 2 and "holds a run with seed=0, asked for 5" in err
