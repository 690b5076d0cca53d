import io

import pytest
from report_runs import EXPLAIN, result
from rich.console import Console

from memup.reports import result_table
from memup.reports.curves import panels, thin
from memup.reports.picture import picture, sentences
from memup.reports.runs import latest, read
from memup.reports.text import bounds, number, percent, seconds
from memup.reports.times import phase_times
from memup.reports.verdict import verdict


def test_table_leaves_out_what_no_row_has():
    table = result_table([result("MemUP", 0.97), result("memory-less", 0.5, success_ci95=None)])
    assert table.header == ("", "Success", "Return", "Length", "Episodes", "Steps/s")
    assert table.rows[0] == ("MemUP", "97 % [95, 99]", "3.88 [3.78, 3.98]", "11", "256", "12,346")
    assert table.rows[1][1] == "50 %"
    two = result_table([result("a", 0.5, run="x"), result("a", 0.5, run="y")])
    assert two.header[:2] == ("", "Run") and two.texts == 2
    assert result_table([]).rows == ()


def test_classes_are_shown_beside_what_the_commonest_would_reach():
    row = {"name": "MemUP", "episodes": 4, "accuracy": 0.98, "accuracy_ci95": [0.9, 0.99]}
    table = result_table([row | {"balanced_accuracy": 0.5, "majority_accuracy": 0.98}])
    assert table.header == ("", "Accuracy", "Balanced", "Majority class", "Episodes")
    assert table.rows[0] == ("MemUP", "98 % [90, 99]", "50 %", "98 %", "4")


def test_what_was_not_judged_says_why():
    row = {"name": "MemUP", "episodes": 0, "note": "not judged: too few sequences to hold any out"}
    assert result_table([row]).header == ("", "Episodes", "Note")
    assert result_table([row]).rows[0][2] == row["note"]
    told = "MemUP was not judged: too few sequences to hold any out."
    assert verdict([row], {}, "done") == told


def test_table_on_the_terminal():
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(result_table([result("[red]MemUP", 1.0)]).rich("Results [x]"))
    text = console.export_text()
    assert "[red]MemUP" in text and "Results [x]" in text and "100 % [98, 100]" in text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.12345, "0.123"), (99.99, "100"), (1e6, "1,000,000"), (None, "-")],
)
def test_number(value, text):
    assert number(value) == text


def test_other_texts():
    assert [percent(s) for s in (0, 0.004, 0.5, 0.996, 1)] == [
        "0 %",
        "0.4 %",
        "50 %",
        "99.6 %",
        "100 %",
    ]
    assert [seconds(s) for s in (0.4, 43, 720, 12240)] == ["0.4 s", "43 s", "12 min", "3.4 h"]
    assert bounds([1, 2]) == (1, 2) and bounds([None, 2]) is None and bounds(None) is None


def test_verdict_compares_like_with_like():
    rows = [result("memory-less", 0.5), result("MemUP", 0.97)]
    assert verdict(rows, {}, "done").startswith("MemUP succeeds in 97 %")
    elsewhere = [result("MemUP", 0.97), result("memory-less", 0.5, env="tmaze-99")]
    assert "(95 % interval 95 % to 99 %)" in verdict(elsewhere, {}, "done")
    no_success = {"success_rate": None, "success_ci95": None}
    one = [result("MemUP", 0.5, **no_success)]
    assert "mean return of 2 over 256" in verdict(one, {}, "done")
    assert "see the table" in verdict([{"name": "x"}], {}, "done")


def test_times_of_a_continued_run():
    rows = [
        {"phase": "memory", "wall_s": 10.0, "compile_s": 4.0, "updates": 5},
        {"phase": "memory", "wall_s": 12.0, "compile_s": 5.0, "updates": 9},
        {"phase": "policy", "wall_s": 3.0, "steps_per_second": 7.0},
        {"phase": "memory", "wall_s": 4, "compile_s": 2.0},
        {"phase": "memory", "wall_s": None},
    ]
    memory, policy = phase_times(rows)
    assert (memory.total, memory.compiling, memory.running, memory.updates) == (13.0, 7.0, 6.0, 9)
    assert (policy.total, policy.speed) == (3.0, 7.0)
    assert phase_times([]) == []


def test_curves_skip_gaps_and_choose_their_axis(run):
    for i in range(4):
        row = {"step": i, "phase": "memory", "loss": 1.0 if i % 2 else None, "updates": i % 3}
        run.append("metrics", row)
    (panel,) = panels(read([run]))
    assert panel.title == "memory: loss"
    assert panel.figure["data"][0]["x"] == [1, 3]
    assert panel.figure["layout"]["xaxis"]["title"]["text"] == "step"  # updates fell from 1 to 0


def test_long_curves_are_thinned():
    x, y = thin(range(10_000), [1.0] * 10_000, points=600)
    assert len(x) == len(y) <= 600 and x[-1] == 9_999 and set(y) == {1.0}
    assert thin([1, 2], [3, 4]) == ([1, 2], [3, 4])


def test_picture_marks_targets_and_fills_the_gap():
    figure = picture(EXPLAIN)
    traces = {trace.get("name"): trace for trace in figure["data"]}
    assert traces["chosen targets"]["x"] == [11, 3]
    assert traces["chosen targets"]["y"] == [0.69, 0.01]
    assert traces["with memory"]["fill"] == "tonexty"
    assert traces["the step predicted"]["x"] == [11, 11]
    assert "&lt;hint&gt;" in str(figure)
    first, second = sentences(EXPLAIN)
    assert "2 marked steps are" in first and "0.25 nats on average" in second


def test_picture_without_losses():
    explain = {"t": [0, 1], "uncertainty": [0, 0], "targets": [1]}
    figure = picture(explain)
    assert "yaxis2" not in figure["layout"]
    assert (
        "not been measured" in sentences(explain)[1] and "marked step is" in sentences(explain)[0]
    )
    assert picture(None) is None and picture({}) is None


def test_latest_keeps_the_last_of_each():
    rows = [{"name": "a", "n": 1}, {"name": "b"}, {"name": "a", "n": 2}]
    assert latest(rows) == [{"name": "a", "n": 2}, {"name": "b"}]
