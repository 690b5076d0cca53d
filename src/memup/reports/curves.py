"""Learning curves: one panel a phase and quantity, the runs laid over each other."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from memup.reports.runs import Story

POINTS = 600  # a page of a week's run must still open
COLOURS = ("--c0", "--c1", "--c2", "--c3", "--c4", "--c5")
X_TITLES = {"updates": "updates", "env_steps": "environment steps", "step": "step"}


@dataclass(frozen=True)
class Quantity:
    """What one panel shows.

    Attributes:
        title: its name.
        lines: metric -> how the line is called.
        over: what the x axis counts, where the rows have it.
        axis: layout of the y axis.
    """

    title: str
    lines: Mapping[str, str]
    over: str
    axis: Mapping[str, Any]


LOSSES = {
    "loss": "training",
    "held_out_loss": "held out",
    "loss_without_memory": "held out, without memory",
}
DASHES = {"held_out_loss": "dot", "loss_without_memory": "dash"}
QUANTITIES = (
    Quantity("loss", LOSSES, "updates", {}),
    Quantity("accuracy", {"accuracy": "accuracy"}, "updates", {"tickformat": ".0%"}),
    Quantity(
        "success",
        {"success_rate": "success"},
        "env_steps",
        {"tickformat": ".0%", "range": [0, 1.03]},
    ),
    Quantity("return", {"return": "return"}, "env_steps", {}),
)


@dataclass(frozen=True)
class Panel:
    """A figure and what stands above it.

    Attributes:
        title: the heading.
        figure: data and layout for plotly.
    """

    title: str
    figure: dict[str, Any]


def panels(stories: Sequence[Story]) -> list[Panel]:
    """Make the panels of all phases, in the order in which the phases began."""
    phases = list(dict.fromkeys(str(row.get("phase")) for s in stories for row in s.metrics))
    made = [_panel(stories, phase, quantity) for phase in phases for quantity in QUANTITIES]
    return [panel for panel in made if panel is not None]


def thin(x: Sequence[Any], y: Sequence[Any], points: int = POINTS) -> tuple[list[Any], list[Any]]:
    """Return at most `points` points: means of neighbours, at the last x of each group."""
    if len(x) <= points:
        return list(x), list(y)
    size = -(-len(x) // points)
    groups = [slice(start, start + size) for start in range(0, len(x), size)]
    return [x[g][-1] for g in groups], [sum(y[g]) / len(y[g]) for g in groups]


def _panel(stories: Sequence[Story], phase: str, quantity: Quantity) -> Panel | None:
    over = _x_axis(stories, phase, quantity)
    lines = [
        _line(story, number, phase, metric, over, _line_name(stories, story, quantity, metric))
        for number, story in enumerate(stories)
        for metric in quantity.lines
    ]
    lines = [line for line in lines if line is not None]
    if not lines:
        return None
    layout = {
        "height": 300,
        "showlegend": len(lines) > 1,
        "xaxis": {"title": {"text": X_TITLES[over]}, "tickformat": "~s", "rangemode": "tozero"},
        "yaxis": dict(quantity.axis),
    }
    return Panel(f"{phase}: {quantity.title}", {"data": lines, "layout": layout})


def _x_axis(stories: Sequence[Story], phase: str, quantity: Quantity) -> str:
    """Choose what x counts: the usual thing if it is there and only grows, else the run's step."""
    for name in (quantity.over, "updates", "env_steps"):
        counts = [[r.get(name) for r in _rows(s, phase, quantity.lines)] for s in stories]
        if any(counts) and all(None not in c and c == sorted(c) for c in counts):
            return name
    return "step"


def _rows(story: Story, phase: str, metrics: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        row
        for row in story.metrics
        if str(row.get("phase")) == phase and any(row.get(m) is not None for m in metrics)
    ]


def _line(
    story: Story, number: int, phase: str, metric: str, over: str, name: str
) -> dict[str, Any] | None:
    points = [(r.get(over), r[metric]) for r in _rows(story, phase, {metric: ""})]
    points = [(x, y) for x, y in points if x is not None]
    if not points:
        return None
    x, y = thin([x for x, _ in points], [y for _, y in points])
    return {
        "type": "scatter",
        "mode": "lines" if len(x) > 1 else "markers",
        "x": x,
        "y": y,
        "name": html.escape(name),
        "line": {
            "color": COLOURS[number % len(COLOURS)],
            "width": 2,
            "dash": DASHES.get(metric, "solid"),
        },
        "hovertemplate": "%{y:.4g}<extra>%{fullData.name}</extra>",
    }


def _line_name(stories: Sequence[Story], story: Story, quantity: Quantity, metric: str) -> str:
    line = quantity.lines[metric]
    if len(stories) == 1:
        return line
    return f"{story.label}, {line}" if len(quantity.lines) > 1 else story.label
