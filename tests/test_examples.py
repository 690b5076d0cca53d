"""Every example runs with --quick, is short, and prints the number it promises."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from memup.memories.table import MEMORIES

FOLDER = Path(__file__).parents[1] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


@pytest.fixture
def tables():
    """Leave the tables as they were: an example adds a line of its own."""
    before = dict(MEMORIES)
    yield
    MEMORIES.clear()
    MEMORIES.update(before)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example(path, monkeypatch, capsys, tables):
    assert len(path.read_text().splitlines()) <= 60
    monkeypatch.setattr(sys, "argv", [str(path), "--quick"])
    runpy.run_path(str(path), run_name="__main__")
    promised = re.findall(r"(?:accuracy|success).*?\b([01]\.\d{3})\b", capsys.readouterr().out)
    assert promised and all(float(number) > 0.9 for number in promised)
