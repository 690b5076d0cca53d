"""The tables of README and docs are what benchmarks/results says, and nothing else."""

import json
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "benchmarks"))
TABLES = runpy.run_path(str(ROOT / "benchmarks" / "tables.py"))
PICTURE = runpy.run_path(str(ROOT / "benchmarks" / "memories_picture.py"))
CURVES = runpy.run_path(str(ROOT / "benchmarks" / "curves_picture.py"))


@pytest.mark.parametrize("page", TABLES["PAGES"], ids=lambda p: p.name)
def test_tables_are_up_to_date(page):
    text = page.read_text()
    assert TABLES["BLOCK"].search(text), "the page has no table"
    assert TABLES["fill"](text) == text, "run python benchmarks/tables.py"


def test_the_picture_of_the_memories_is_up_to_date():
    found = json.loads((ROOT / "benchmarks" / "results" / "memories.json").read_text())
    drawn = PICTURE["draw"](found)
    assert drawn == PICTURE["OUTPUT"].read_text(), "run python benchmarks/memories.py --picture"
    assert all(f"{row['sequence_steps_per_s']:,}" in drawn for row in found["results"])


@pytest.mark.parametrize("name", CURVES["PICTURES"])
def test_the_pictures_of_the_curves_are_up_to_date(name):
    drawn = CURVES["picture"](name)
    assert drawn == CURVES["path"](name).read_text(), "run python benchmarks/curves_picture.py"


@pytest.mark.parametrize(("lowest", "middle"), [(0.01, 50), (-1.98, 50)])
def test_a_curve_is_drawn_in_logs_where_the_loss_has_a_zero(lowest, middle):
    losses = [1.0, (lowest + 1) / 2 if lowest < 0 else 0.1, lowest]
    curve = {"updates": [1, 2, 3], "wall_s": [15, 20, 25], "loss": losses}
    curve["held_out_loss"] = [None, None, lowest]
    row = {"task": "a", "seed": 0, "curve": curve, "phases_s": {"collect": 2.0, "detect": 3.0}}
    text = CURVES["draw"]([row, {"task": "b", "seed": 0}])
    assert f'd="M110.0 0.0L165.0 {middle}.0L220.0 100.0"' in text, "ten to twenty seconds"
    assert ">a</text>" in text and ">b</text>" not in text


def cell(system, length, success, steps):
    return {
        "system": system,
        "length": length,
        "seeds": [0, 1],
        "window": 32,
        "success_rate": success,
        "success_ci95": [success - 0.1, min(success + 0.1, 1.0)],
        "steps_to_95": steps,
        "updates_to_95": [s and s // 10 for s in steps],
        "wall_to_95_s": [s and s / 1000 for s in steps],
        "env_steps": 9000,
        "stopped": "budget",
        "limit_s": 600,
        "machine": "P",
        "processors": 2,
    }


CELLS = [cell("r2d2", 50, 0.5, [None, None]), cell("r2d2", 10, 1.0, [3000, 5000])]


def test_a_row_of_the_table_of_agents():
    import agents_table

    first, second = agents_table.rows(CELLS)
    assert first[:5] == ("`r2d2`", "10", "32", "100.0 % [90.0, 100.0]", "2 of 2")
    assert first[5:8] == ("5,000", "500", "5 s"), "the slowest seed"
    assert second[1] == "50" and second[4:8] == ("0 of 2", "", "", "")


def test_the_picture_of_agents():
    import agents_picture

    cells = [*CELLS, cell("memup", 10, 1.0, [1, 1])]
    text = agents_picture.draw({"results": cells, "date": "2026-11-26"})
    assert "at most 600 s on 2 core(s) for a point; 2026-11-26" in text
    assert text.count(">r2d2</text>") == 1 == text.count(">memup</text>")
    # From 10 steps at the top left to 50 steps half way down, at the right.
    assert 'd="M70.0 70.0L710.0 220.0"' in text
