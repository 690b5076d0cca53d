"""One self-contained page about one run, or several side by side: works offline, sends nothing."""

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from memup.core.jsonfiles import replace_file
from memup.reports.curves import panels
from memup.reports.picture import picture, sentences
from memup.reports.runs import Story, read
from memup.reports.sections import configuration, facts, heading, provenance, results, times
from memup.reports.verdict import verdict
from memup.runs.rundir import RunDir

# The browser itself refuses whatever is not in the file.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:"
)
DRAWN = "This needs JavaScript to be drawn."


def write_report(runs: Sequence[RunDir], output: Path | None = None) -> Path:
    """Write the page.

    Args:
        runs: the runs to show; several are compared.
        output: the file; by default report.html in the run, or beside the first of several.

    Returns:
        Where the page is.

    Raises:
        MemupError: a run cannot be read or the page cannot be written.
    """
    page = render(read(runs))
    if output is None:
        beside = runs[0].path.resolve().parent / "report.html"
        output = runs[0].report if len(runs) == 1 else beside
    replace_file(output, page.encode())
    return output


def render(stories: Sequence[Story]) -> str:
    """Return the page as text."""
    from plotly.offline import get_plotlyjs

    figures: list[dict[str, Any]] = []
    body = "\n".join(
        [
            f"<h1>{escape(heading(stories))}</h1>",
            facts(stories),
            _verdict(stories),
            results(stories),
            _pictures(stories, figures),
            _curves(stories, figures),
            times(stories),
            configuration(stories),
            provenance(stories),
        ]
    )
    data = "\n".join(_data(number, figure) for number, figure in enumerate(figures))
    scripts = f"<script>{get_plotlyjs()}</script>\n{data}\n<script>{_part('page.js')}</script>"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(heading(stories))} - memup</title>
<style>{_part("page.css")}</style>
</head>
<body>
<main>
{body}
</main>
{scripts if figures else ""}
</body>
</html>
"""


def _verdict(stories: Sequence[Story]) -> str:
    rows = [row for story in stories for row in story.results]
    sentence = verdict(rows, stories[0].status, stories[0].state)
    return f'<p class="verdict">{escape(sentence)}</p>'


def _pictures(stories: Sequence[Story], figures: list[dict[str, Any]]) -> str:
    parts = []
    for story in stories:
        figure = picture(story.explain)
        if figure is None or story.explain is None:
            continue
        first, second = sentences(story.explain)
        label = f"<h3>{escape(story.label)}</h3>" if len(stories) > 1 else ""
        parts.append(f"{label}<p>{escape(first)}</p><p>{escape(second)}</p>")
        parts.append(_figure("One episode", figure, figures, scale=True))
    if not parts:
        return ""
    return "<h2>What the memory is trained on, and what it is worth</h2>" + "\n".join(parts)


def _curves(stories: Sequence[Story], figures: list[dict[str, Any]]) -> str:
    made = [_figure(panel.title, panel.figure, figures) for panel in panels(stories)]
    if not made:
        return '<h2>Learning curves</h2><p class="note">Nothing has been logged yet.</p>'
    return f'<h2>Learning curves</h2><div class="grid">{"".join(made)}</div>'


def _figure(
    title: str, figure: dict[str, Any], figures: list[dict[str, Any]], scale: bool = False
) -> str:
    number = len(figures)
    figures.append(figure)
    switch = (
        f'<button data-for="figure-{number}" hidden>logarithmic steps</button>' if scale else ""
    )
    height = figure["layout"]["height"]
    return (
        f'<figure><div class="row"><h3>{escape(title)}</h3>{switch}</div>'
        f'<div id="figure-{number}" data-figure="data-{number}" style="height:{height}px">'
        f"<noscript>{DRAWN}</noscript></div></figure>"
    )


def _data(number: int, figure: dict[str, Any]) -> str:
    # "<" is written as an escape, so that no text can end the script element.
    text = json.dumps(figure, allow_nan=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="data-{number}">{text}</script>'


def _part(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
