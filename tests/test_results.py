"""The tables of README and docs are what benchmarks/results says, and nothing else."""

import runpy
from pathlib import Path

import pytest

TABLES = runpy.run_path(str(Path(__file__).parents[1] / "benchmarks" / "tables.py"))


@pytest.mark.parametrize("page", TABLES["PAGES"], ids=lambda p: p.name)
def test_tables_are_up_to_date(page):
    text = page.read_text()
    assert TABLES["BLOCK"].search(text), "the page has no table"
    assert TABLES["fill"](text) == text, "run python benchmarks/tables.py"
