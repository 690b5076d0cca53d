"""The tables and pictures of README and docs are what benchmarks/results says, and nothing else."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))
from benchmarks.render import agents, agents_picture, curves, markdown, tables


@pytest.mark.parametrize("page", tables.PAGES, ids=lambda p: p.name)
def test_tables_are_up_to_date(page):
    text = page.read_text()
    assert tables.BLOCK.search(text), "the page has no table"
    assert tables.fill(text) == text, "run python -m benchmarks render"


@pytest.mark.parametrize("name", tables.PICTURES)
def test_pictures_are_up_to_date(name):
    drawn = tables.PICTURES[name]()
    assert drawn == (tables.IMAGES / name).read_text(), "run python -m benchmarks render"


def test_what_is_void_is_struck_out_and_what_failed_says_so():
    cells = [{"n": 0.5, "void": "it was cut"}, {"error": "no"}, {"n": 1.0}]
    assert markdown.shares(cells, "n") == "~~50.0~~, failed, 100.0 %"
    assert "void, to be measured again; it was cut." in markdown.measured({"results": cells})


def test_cells_say_on_what_they_were_measured():
    here = {"machine": "P, JAX 1", "cores": 1, "python": "3", "commit": "abc", "date": "2026-12-02"}
    cells = [here, {**here, "date": "2026-12-01"}, {**here, "cores": 2}]
    assert markdown.measured({"results": cells}) == (
        "\nP, 1 core a cell; Python 3, JAX 1; 2026-12-01 to 2026-12-02, commit abc.\n"
        "\nP, 2 cores a cell; Python 3, JAX 1; 2026-12-02, commit abc.\n"
    )


@pytest.mark.parametrize(("lowest", "middle"), [(0.01, 50), (-1.98, 50)])
def test_a_curve_is_drawn_in_logs_where_the_loss_has_a_zero(lowest, middle):
    losses = [1.0, (lowest + 1) / 2 if lowest < 0 else 0.1, lowest]
    curve = {"updates": [1, 2, 3], "wall_s": [15, 20, 25], "loss": losses}
    curve["held_out_loss"] = [None, None, lowest]
    row = {"task": "a", "seed": 0, "curve": curve, "phases_s": {"collect": 2.0, "detect": 3.0}}
    text = curves.draw([row, {"task": "b", "seed": 0}])
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
    first, second = agents.rows(CELLS)
    assert first[:5] == ("`r2d2`", "10", "32", "100.0 % [90.0, 100.0]", "2 of 2")
    assert first[5:8] == ("5,000", "500", "5 s"), "the slowest seed"
    assert second[1] == "50" and second[4:8] == ("0 of 2", "", "", "")


def test_the_picture_of_agents():
    cells = [*CELLS, cell("memup", 10, 1.0, [1, 1])]
    text = agents_picture.draw({"results": cells, "date": "2026-11-26"})
    assert "at most 600 s on 2 core(s) for a point; 2026-11-26" in text
    assert text.count(">r2d2</text>") == 1 == text.count(">memup</text>")
    # From 10 steps at the top left to 50 steps half way down, at the right.
    assert 'd="M70.0 70.0L710.0 220.0"' in text
