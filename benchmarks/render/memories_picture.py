"""Draw benchmarks/results/memories.json: a bar a memory, the fastest first.

Written to docs/images/memories.svg.
"""

from benchmarks.render.markdown import load, page
from memup.memories.table import MEMORIES

WIDTH, LEFT, BARS, TOP, LINE, BAR = 900, 150, 390, 92, 24, 16
COLUMNS = {"parameters": 700, "state_numbers": 780, "compile_s": 860}
HEADS = {"parameters": "parameters", "state_numbers": "state", "compile_s": "compile"}
STYLE = (
    "text{font:13px sans-serif;fill:#444}.t{font-weight:bold;fill:#222}.n{fill:#222}"
    ".h{fill:#777;font-size:12px}.grid{stroke:#e4e4e4}.bar{fill:#1c6fb5}.control{fill:#9aa7b3}"
    ".end{text-anchor:end}.middle{text-anchor:middle}"
)


def draw(found: dict) -> str:
    """Return the SVG of a result file."""
    rows = sorted(found["results"], key=lambda r: -r["sequence_steps_per_s"])
    bottom = TOP + LINE * len(rows)
    step = _round_step(rows[0]["sequence_steps_per_s"])
    scale = BARS / rows[0]["sequence_steps_per_s"]
    parts = [
        '<text class="t" x="20" y="26">Training speed of each memory: sequence steps a second'
        "</text>",
        f'<text class="h" x="20" y="46">{_about(found)}</text>',
        *_grid(step, scale, bottom),
        *(_text(x, TOP - 10, HEADS[name], "h end") for name, x in COLUMNS.items()),
        *(part for i, r in enumerate(rows) for part in _bar(r, TOP + LINE * i, scale)),
        f'<rect class="control" x="20" y="{bottom + 16}" width="12" height="12"/>',
        _text(38, bottom + 27, "a control: nothing, or nothing before its window, is kept", "h"),
    ]
    height = bottom + 44
    return page(WIDTH, height, STYLE, parts)


def _about(found: dict) -> str:
    machine = found["machine"]
    size = max(r["output_size"] for r in found["results"])
    return (
        f"output of {size} numbers, 64 rows, windows of 20 steps, a prediction from every step; "
        f"{machine['processor']}, {machine['cores']} cores, {found['date']}"
    )


def _round_step(highest: float) -> int:
    """Return 1, 2 or 5 times a power of ten, so that three to eight lines lie below `highest`."""
    power = 1
    while highest / power > 80:
        power *= 10
    return next(k * power for k in (1, 2, 5, 10) if highest / (k * power) <= 8)


def _grid(step: int, scale: float, bottom: int) -> list[str]:
    parts, value = [], 0
    while value * scale <= BARS:
        x = LEFT + value * scale
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP - 4}V{bottom}"/>')
        parts.append(_text(x, TOP - 10, f"{value:,}", "h middle"))
        value += step
    return parts


def _bar(row: dict, y: int, scale: float) -> list[str]:
    """Return name, bar, speed and the columns of one memory."""
    length, base = row["sequence_steps_per_s"] * scale, y + 13
    kind = "control" if "(a control" in MEMORIES[row["name"]].summary else "bar"
    return [
        _text(LEFT - 10, base, row["name"], "n end"),
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR}"/>',
        _text(LEFT + length + 6, base, f"{row['sequence_steps_per_s']:,}", ""),
        _text(COLUMNS["parameters"], base, f"{row['parameters']:,}", "end"),
        _text(COLUMNS["state_numbers"], base, f"{row['state_numbers']:,}", "end"),
        _text(COLUMNS["compile_s"], base, f"{row['compile_s']:.1f} s", "end"),
    ]


def _text(x: float, y: float, words: str, style: str) -> str:
    return f'<text class="{style}" x="{x:.0f}" y="{y:.0f}">{words}</text>'


def picture() -> str:
    """Return the SVG of what is recorded."""
    return draw(load("memories"))
