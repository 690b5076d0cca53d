"""Draw how memories learned, a panel a task and a line a seed, from the curves in the results.

Written to docs/images/curves-frontier.svg and docs/images/curves-tasks.svg.
"""

import math
from collections.abc import Iterator

from benchmarks.render.markdown import by, load, page

# Cells of a file that have panels; the controls of a task have none.
PICTURES = {"frontier": {}, "tasks": {"training": "memup"}}
COLUMNS, ACROSS, DOWN, TOP = 3, 300, 165, 90
LEFT, WIDE, HIGH = 52, 220, 100
COLOURS = ("#1c6fb5", "#3f9b6c", "#b5541c")
STYLE = (
    "text{font:13px sans-serif;fill:#444}.t{font-weight:bold;fill:#222}.grid{stroke:#e4e4e4}"
    ".h{fill:#777;font-size:11px}.end{text-anchor:end}"
)
FLOOR = 1e-6


def draw(results: list[dict]) -> str:
    """Return the SVG of all cells that have a curve."""
    panels = by([r for r in results if r.get("curve")], "task")
    rows = -(-len(panels) // COLUMNS)
    parts = [
        '<text class="t" x="20" y="26">Loss of the memory in its windows, nats a question</text>',
        '<text class="h" x="20" y="46">log, over seconds of learning; seed 0 blue, 1 green, 2 '
        "brown; the ring is the last held-out loss</text>",
    ]
    for place, (task, cells) in enumerate(panels.items()):
        x, y = LEFT + ACROSS * (place % COLUMNS), TOP + DOWN * (place // COLUMNS)
        parts.append(f'<g transform="translate({x} {y})">')
        parts += [*_panel(task, cells), "</g>"]
    width, height = COLUMNS * ACROSS + 20, TOP + DOWN * rows
    return page(width, height, STYLE, parts)


def _panel(task: str, cells: list[dict]) -> Iterator[str]:
    curves = [_curve(cell) for cell in cells]
    held = [[(s, h) for s, _, h in curve if h is not None][-1] for curve in curves]
    losses = [loss for curve in curves for _, loss, _ in curve] + [loss for _, loss in held]
    # The nats of categories have a zero; those of real numbers fall through it.
    axis = (lambda x: math.log10(max(x, FLOOR))) if min(losses) >= 0 else float
    low, high = axis(min(losses)), axis(max(losses))
    longest = max(curve[-1][0] for curve in curves)

    def at(second: float, loss: float) -> tuple[float, float]:
        return WIDE * second / longest, HIGH * (high - axis(loss)) / (high - low)

    yield f'<text class="h" x="0" y="-8" style="fill:#222">{task}</text>'
    for loss in (min(losses), max(losses)):
        _, y = at(0, loss)
        yield f'<path class="grid" d="M0 {y:.1f}H{WIDE}"/>'
        yield f'<text class="h end" x="-6" y="{y + 4:.1f}">{loss:.2g}</text>'
    yield f'<text class="h end" x="{WIDE}" y="{HIGH + 16}">{longest:.0f} s</text>'
    for cell, curve, last in zip(cells, curves, held, strict=True):
        colour = COLOURS[cell["seed"] % len(COLOURS)]
        path = "L".join("{:.1f} {:.1f}".format(*at(second, loss)) for second, loss, _ in curve)
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'
        x, y = at(*last)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="none" stroke="{colour}"/>'


def _curve(cell: dict) -> list[tuple[float, float, float | None]]:
    """Return seconds since the memory began to learn, loss and held-out loss of every point."""
    curve, phases = cell["curve"], cell["phases_s"]
    before = phases.get("collect", 0.0) + phases.get("detect", 0.0)
    points = zip(curve["wall_s"], curve["loss"], curve["held_out_loss"], strict=True)
    return [(max(wall - before, 0.0), loss, held) for wall, loss, held in points]


def picture(name: str) -> str:
    """Return the SVG of a result file."""
    only = PICTURES[name].items()
    return draw([r for r in load(name).get("results", []) if r.items() >= only])
