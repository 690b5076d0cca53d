"""Cells of a benchmark: what is recorded stays, unless it is measured again."""

import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
import acceptance
import record

ROWS = {("a",): ["copy-3"], ("b",): ["copy-4"]}


@pytest.fixture
def ran(monkeypatch, tmp_path):
    """Replace training by a note of what was asked; results go to a folder of the test."""
    asked = []

    def run(words, seed, cache, pin):
        asked.append((*words, seed))
        return {"seed": seed, "wall_s": float(len(asked))}

    monkeypatch.setattr(acceptance, "run", run)
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    return asked


def measure(*more):
    args = acceptance.parser(["a", "b"]).parse_args([*more])
    acceptance.cells("x", {(n,): ROWS[n,] for n in args.only}, ("task",), args)
    found = json.loads((record.RESULTS / "x.json").read_text())["results"]
    return [(r["task"], r["seed"], r["wall_s"]) for r in found]


def test_a_recorded_cell_is_not_run_again_unless_that_is_asked_for(ran):
    assert measure("--only", "a", "--seeds", "0", "1") == [("a", 0, 1.0), ("a", 1, 2.0)]
    assert measure() == [("a", 0, 1.0), ("a", 1, 2.0), ("b", 0, 3.0)]
    assert ran[2:] == [("copy-4", 0)], "only what is missing"
    assert measure("--only", "a", "--again") == [("a", 0, 4.0), ("a", 1, 2.0), ("b", 0, 3.0)]
    assert ran[3:] == [("copy-3", 0)], "and in its place"
