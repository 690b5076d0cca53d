"""Cells of a benchmark: each in a process, within its time; what is recorded stays."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))
from benchmarks import results_file, runner
from benchmarks.suite import SOLVED, Bound, Cell, Row, Suite
from benchmarks.suites import SUITES
from benchmarks.words import changed, words

from memup.cli.fields import add_fields, resolve
from memup.cli.parser import Parser
from memup.specs.presets import PRESETS

ROWS = (Row({"task": "a"}, {}, "x", (0, 1)), Row({"task": "b"}, {}, "x", (0,)))
SUITE = Suite("x", "", "none:none", ROWS)


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Replace measuring by a note of what was asked; results go to a folder of the test."""
    asked = []

    def measure(suite, cell, cores, cache, running):
        asked.append(cell.name)
        return {"wall_s": float(len(asked)), "success_rate": 1.0}

    monkeypatch.setattr(runner, "measure", measure)
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    return asked


def recorded():
    found = results_file.load("x")["results"]
    return [(r["task"], r["seed"], r["wall_s"]) for r in found]


def test_a_recorded_cell_is_not_run_again_unless_that_is_asked_for(ran):
    runner.run(SUITE, SUITE.cells("x a*"))
    assert recorded() == [("a", 0, 1.0), ("a", 1, 2.0)]
    runner.run(SUITE, SUITE.cells())
    assert ran[2:] == ["x b seed 0"], "only what is missing"
    runner.run(SUITE, SUITE.cells("a seed 0"), again=True)
    assert recorded() == [("a", 0, 4.0), ("a", 1, 2.0), ("b", 0, 3.0)], "and in its place"


@pytest.mark.parametrize("why", ["error", "void"])
def test_what_failed_or_is_void_is_run_again(ran, why):
    results_file.put("x", {"task": "b", "seed": 0}, {why: "it was"})
    runner.run(SUITE, SUITE.cells("b"))
    assert recorded() == [("b", 0, 1.0)]


def test_quick_runs_one_cell_and_records_nothing(ran):
    assert runner.run(SUITE, SUITE.cells(quick=True)) == 0
    assert ran == ["x a seed 0"] and results_file.load("x") == {}


def test_a_cell_that_misses_what_must_hold_fails_the_run(ran, capsys):
    must = (*SOLVED, Bound("runs.0.loss", most=0.5))
    row = Row({"task": "a"}, {}, "x", must=must)
    assert Cell(row, None).missed({"success_rate": 0.99, "runs": [{"loss": 0.5}]}) == []
    assert runner.run(Suite("x", "", "", (row,)), [Cell(row, None)]) == 1
    assert "MISSED x a: runs.0.loss was not measured" in capsys.readouterr().err
    assert Cell(row, None).missed({"success_rate": 0.9, "runs": [{"loss": 0.6}]}) == [
        "success_rate is 0.9, must be at least 0.99",
        "runs.0.loss is 0.6, must be at most 0.5",
    ]


def test_a_cell_out_of_time_and_a_failed_one_say_so(monkeypatch, tmp_path):
    row = Row({"command": "memup demo"}, {}, "demo", limit_s=0.05)
    assert timed(SUITES["demo"], row, tmp_path)["error"] == "timed out after 0.05 s"
    found = timed(Suite("none", "", "", (row,)), Row({}, {}, "none"), tmp_path)
    assert "unknown suite 'none'" in found["error"]
    assert {"machine", "cores", "commit", "date", "python"} <= found.keys()


def timed(suite, row, folder):
    return runner.measure(suite, Cell(row, None), {0}, str(folder), set())


def test_what_is_recorded_is_whole_json(tmp_path, monkeypatch):
    monkeypatch.setattr(results_file, "RESULTS", tmp_path)
    results_file.put("x", {"task": "a"}, {"n": 1})
    results_file.put("x", {"task": "a", "tried": {"r": 2}}, {"n": 2})
    found = json.loads((tmp_path / "x.json").read_text())["results"]
    assert found == [{"task": "a", "n": 1}, {"task": "a", "tried": {"r": 2}, "n": 2}]


def test_a_field_is_given_once():
    assert words("a --env b", {"x": True}) == ["a", "--env", "b", "--x", "yes"]
    assert changed(words("a --env b --x 1"), {"env": "c"}) == ["a", "--x", "1", "--env", "c"]


def test_names_of_cells_are_unique():
    for suite in SUITES.values():
        names = [cell.name for cell in suite.cells()]
        assert len(set(names)) == len(names) > 0, suite.name


ROWS_OF_TRAIN = [
    (suite.name, row)
    for suite in SUITES.values()
    if suite.measure == "training:train"
    for row in suite.rows
]


@pytest.mark.parametrize(
    ("suite", "row"), ROWS_OF_TRAIN, ids=[f"{s} {Cell(r, None).name}" for s, r in ROWS_OF_TRAIN]
)
def test_every_row_that_is_trained_is_a_valid_run(suite, row):
    """So that an option that is renamed is renamed here too."""
    given = list(row.spec)
    preset = given.pop(0) if not given[0].startswith("--") else None
    parser = Parser("train", "")
    add_fields(parser, given, dict(PRESETS[preset]()) if preset else {})
    args = vars(parser.parse(given))
    spec = resolve(preset, {n: v for n, v in args.items() if v is not None})
    for name, value in zip(given[::2], given[1::2], strict=True):
        assert spec[name.removeprefix("--")] is not None, value


@pytest.mark.parametrize("name", ["agents", "agents-search", "agents-second", "agents-cartpole"])
def test_every_row_of_agents_is_a_valid_run(name):
    from benchmarks.measures.agents import _spec

    for row in SUITES[name].rows:
        assert _spec(row.spec)["agent.steps"] > 0
