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
