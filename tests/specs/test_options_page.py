"""docs/options.md is what the dataclasses of options say."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks.render import options
from benchmarks.render.tables import OPTIONS

from memup.memories.table import MEMORIES


def test_the_page_is_up_to_date():
    assert OPTIONS.read_text() == options.page(), "run python -m benchmarks render"


def test_every_part_is_on_it():
    text = options.page()
    assert all(f"`{name}`" in text for name in MEMORIES)
    assert "| `method.order.long_rows` | 0.25 | number, 0.0 to 1.0 |" in text
    assert "| `joint.limit` | 2000 | whole number, at least 2 |" in text
    assert "| `seed` | 0 | whole number, at least 0 |" in text
