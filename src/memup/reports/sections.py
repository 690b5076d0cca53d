"""The parts of the page that are words and tables."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from memup.reports.runs import Story
from memup.reports.table import result_table
from memup.reports.text import bounds, number, seconds
from memup.reports.times import PhaseTime, phase_times

STATES = {
    "running": "still running",
    "done": "done",
    "failed": "failed",
    "interrupted": "interrupted",
    "stopped": "killed",
    "unknown": "not started",
}


def heading(stories: Sequence[Story]) -> str:
    """Name the environment, the memory and the kind of training that all runs share."""
    parts = [", ".join(_distinct(s.field(name) for s in stories)) for name in ("env", "memory")]
    training = _distinct(s.field("training") for s in stories)
    parts.append(", ".join(f"{kind} training" for kind in training))
    return " · ".join(part for part in parts if part) or stories[0].label


def facts(stories: Sequence[Story]) -> str:
    """One line a run: its state, its directory and when it was begun."""
    lines = []
    for story in stories:
        phase = story.status.get("phase")
        where = f" in phase {phase}" if phase and story.state not in {"done", "unknown"} else ""
        begun = str(story.record.get("created", ""))[:16].replace("T", " ")
        rest = f"{where} · {story.path}" + (f" · begun {begun} UTC" if begun else "")
        state = escape(STATES.get(story.state, story.state))
        lines.append(f'<b class="state {escape(story.state)}">{state}</b>{escape(rest)}')
    return f'<p class="facts">{"<br>".join(lines)}</p>'


def results(stories: Sequence[Story]) -> str:
    """The table of results, with each share's interval drawn beside it."""
    rows = [row for story in stories for row in story.results]
    if not rows:
        return ""
    table = result_table(rows)
    drawn = [_range(row) for row in rows]
    header = [*table.header, *(["0 to 100 %"] if any(drawn) else [])]
    body = [
        [*map(escape, cells), *([drawing] if any(drawn) else [])]
        for cells, drawing in zip(table.rows, drawn, strict=True)
    ]
    note = '<p class="note">In brackets: 95 % confidence intervals over episodes.</p>'
    shown = html_table(map(escape, header), body, table.texts, "results")
    return f"<h2>Results</h2>{shown}{note}"


def times(stories: Sequence[Story]) -> str:
    """How long each phase took, compiling apart from running."""
    found = [(story, time) for story in stories for time in phase_times(story.metrics)]
    if not found:
        return ""
    longest = max(time.total for _, time in found) or 1.0
    several = len(stories) > 1
    header = [*(["Run"] if several else []), "Phase", "Total"]
    header += ['<span class="key">run</span>', '<span class="key compiling">compile</span>']
    header += ["Updates", "Env steps", "Steps/s", ""]
    body = [
        [*([escape(story.label)] if several else []), *_time_cells(time, longest)]
        for story, time in found
    ]
    return f"<h2>Where the time went</h2>{html_table(header, body, 1 + several)}"


def configuration(stories: Sequence[Story]) -> str:
    """The whole spec, folded away; what differs between runs is marked."""
    names = list(dict.fromkeys(name for story in stories for name in story.spec))
    rows, marked = [], []
    for name in names:
        values = [_value(story.spec, name) for story in stories]
        rows.append([escape(name), *map(escape, values)])
        marked.append(len(set(values)) > 1)
    header = ["field", *(escape(s.label) if len(stories) > 1 else "value" for s in stories)]
    table = html_table(header, rows, len(header), "config", marked)
    note = '<p class="note">Fields that differ are shaded.</p>' if any(marked) else ""
    return f"<details><summary>Configuration ({len(names)} fields)</summary>{table}{note}</details>"


def provenance(stories: Sequence[Story]) -> str:
    """The versions and the commit that made the runs."""
    lines = []
    for story in stories:
        made = story.record.get("versions") or {}
        parts = [f"{name} {version}" for name, version in made.items()]
        parts += (
            [f"commit {str(story.record['commit'])[:12]}"] if story.record.get("commit") else []
        )
        lines.append(escape(" · ".join(parts)))
    return f"<footer>{'<br>'.join(_distinct(lines))}</footer>"


def html_table(
    header: Iterable[str],
    rows: Sequence[Sequence[str]],
    texts: int,
    kind: str = "",
    marked: Sequence[bool] = (),
) -> str:
    """Return a table of cells that are HTML already; the first `texts` columns hold words."""

    def cells(tag: str, row: Iterable[str]) -> str:
        word = ' class="word"'
        return "".join(f"<{tag}{word if i < texts else ''}>{c}</{tag}>" for i, c in enumerate(row))

    marks = [' class="differs"' if mark else "" for mark in marked] or [""] * len(rows)
    body = "".join(f"<tr{m}>{cells('td', r)}</tr>" for m, r in zip(marks, rows, strict=True))
    return (
        f'<div class="scroll"><table class="{kind}"><thead><tr>{cells("th", header)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _time_cells(time: PhaseTime, longest: float) -> list[str]:
    run, compiling = (100 * part / longest for part in (time.running, time.compiling))
    bar = f'<i style="width:{run:.1f}%"></i><b style="width:{compiling:.1f}%"></b>'
    compiled = seconds(time.compiling) if time.compiling else "-"
    return [
        escape(time.phase),
        seconds(time.total),
        seconds(time.running),
        compiled,
        *map(number, (time.updates, time.env_steps, time.speed)),
        f'<span class="bar">{bar}</span>',
    ]


def _range(row: Mapping[str, Any]) -> str:
    for key, interval in (("success_rate", "success_ci95"), ("accuracy", "accuracy_ci95")):
        if row.get(key) is not None:
            low, high = bounds(row.get(interval)) or (row[key], row[key])
            span = f"left:{100 * low:.1f}%;width:{100 * (high - low):.1f}%"
            dot = f"left:{100 * row[key]:.1f}%"
            return f'<span class="range"><i style="{span}"></i><b style="{dot}"></b></span>'
    return ""


def _value(spec: Mapping[str, Any], name: str) -> str:
    if name not in spec:
        return "-"
    value = spec[name]
    return value if isinstance(value, str) else json.dumps(value)


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
