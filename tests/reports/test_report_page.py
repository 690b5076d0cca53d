import json
import re
import subprocess
import sys

import pytest
from report_runs import EXPLAIN, SPEC, result

from memup.core.errors import MemupError
from memup.reports import write_report
from memup.reports.runs import labels
from memup.runs.rundir import RunDir

FIGURE = re.compile(r'<script type="application/json" id="data-\d+">(.*?)</script>', re.S)


@pytest.fixture(autouse=True)
def small_plotly(monkeypatch):
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "/* plotly */")


def own(page):
    """Return the page without the scripts of plotly, and its figures."""
    text = page.read_text()
    return text, [json.loads(figure) for figure in FIGURE.findall(text)]


def test_a_whole_run(full):
    page = write_report([full])
    assert page == full.report
    text, figures = own(page)
    assert "MemUP succeeds in 97 % of 256 episodes; memory-less reaches 50 %" in text
    assert "intervals are apart" in text and "two-phase training" in text
    assert "97 % [95, 99]" in text and "memory: loss" in text and "policy: success" in text
    assert "a fair coin costs" in text
    assert len(figures) == 4
    assert text.count("<script>") == 2 and text.count("/* plotly */") == 1


def test_nothing_is_fetched(full):
    text, _ = own(write_report([full]))
    assert not re.search(r"https?://|//cdn|src=|@import|url\(", text)
    assert "default-src 'none'" in text


def test_the_real_plotly_is_inlined_once(full, monkeypatch):
    monkeypatch.undo()
    text = write_report([full]).read_text()
    assert text.count("* plotly.js v") == 1 and len(text) > 1_000_000
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=", text[: text.index("plotly.js v")])


def test_figures_are_valid_for_plotly(full):
    import plotly.graph_objects as go

    def colours(value):
        if isinstance(value, dict):
            return {k: colours(v) for k, v in value.items()}
        return "red" if isinstance(value, str) and value.startswith("--") else value

    for figure in own(write_report([full]))[1]:
        go.Figure(data=[colours(trace) for trace in figure["data"]], layout=figure["layout"])


def test_names_are_escaped(tmp_path):
    evil = "</script><img src=x onerror=alert(1)>"
    with RunDir.create(tmp_path / "run & <b>", SPEC | {"env": evil, evil: evil}) as run:
        run.append("metrics", {"step": 1, "phase": evil, "wall_s": 1.0, "loss": 1.0})
        run.append("eval", result(evil, 0.5))
        run.set_status(evil, evil, error=evil)
        label = {"events": [{"step": 0, "label": evil}], "unit": evil}
        run.write_json("explain.json", EXPLAIN | label)
        text, figures = own(write_report([run]))
    assert "<img" not in text and text.count("</script>") == 2 + len(figures)
    assert "&lt;/script&gt;" in text and "run &amp; &lt;b&gt;" in text


def test_a_run_that_has_just_begun(run):
    text, figures = own(write_report([run]))
    assert "Nothing has been measured yet" in text and figures == []
    run.set_status("running", "memory")
    run.append("metrics", {"step": 1, "phase": "memory", "wall_s": 1.0, "loss": None})
    assert "still going in phase memory" in own(write_report([run]))[0]
    run.close()
    assert "was killed in phase memory" in own(write_report([run]))[0]
    run.set_status("failed", "memory", error="loss is not finite")
    assert "failed in phase memory: loss is not finite." in own(write_report([run]))[0]


@pytest.mark.parametrize("text", ["", '{"t": [0', "[]", "{}", '{"t": [0, 1], "uncertainty": [1]}'])
def test_a_bad_picture_is_left_out(full, text):
    (full.path / "explain.json").write_text(text)
    (full.path / "status.json").write_text(text)
    assert "One episode" not in own(write_report([full]))[0]


def test_a_supervised_run(run):
    run.append("metrics", {"step": 1, "phase": "memory", "wall_s": 1.0, "loss": 2, "accuracy": 1})
    run.append("eval", {"name": "MemUP", "env": "copy-20", "accuracy": 0.9, "loss": 0.31})
    text, figures = own(write_report([run]))
    assert "MemUP answers 90 % of all episodes right." in text
    assert "Success" not in text and len(figures) == 2


def test_several_runs_on_one_page(full, tmp_path):
    with RunDir.create(tmp_path / "second", SPEC | {"training": "end-to-end"}) as second:
        second.append("eval", result("PPO-GRU", 0.96))
        for i in range(2):
            row = {"step": i, "phase": "policy", "wall_s": 1.0, "success_rate": 0.5, "env_steps": i}
            second.append("metrics", row)
        page = write_report([full, second])
    text, figures = own(page)
    assert page == tmp_path / "report.html"
    assert "PPO-GRU" in text and "intervals overlap" in text
    assert 'class="differs"' in text
    names = [trace["name"] for trace in figures[2]["data"]]
    assert names == ["first", "second"]


def test_where_the_page_goes(full, tmp_path):
    assert write_report([full], tmp_path / "x.html").exists()
    with pytest.raises(MemupError, match="cannot write"):
        write_report([full], tmp_path / "missing" / "x.html")
    with pytest.raises(MemupError, match="at least one"):
        write_report([])


def test_labels_tell_runs_apart(tmp_path):
    runs = [RunDir(tmp_path / "a" / "run"), RunDir(tmp_path / "b" / "run")]
    assert labels(runs) == ["a/run", "b/run"]
    assert labels([runs[0], runs[0]]) == ["run (1)", "run (2)"]


def test_reports_start_without_jax_or_plotly():
    code = "import sys, memup.reports; print({'jax', 'numpy', 'plotly', 'rich'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
