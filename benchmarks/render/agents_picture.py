"""Draw benchmarks/results/agents.json: success over the maze's length, a line a system.

Written to docs/images/agents.svg.
"""

import math

from benchmarks.render.markdown import load, page

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 900, 420, 70, 190, 70, 50
COLOURS = ("#8c6bb1", "#9aa7b3", "#3f9b6c", "#7cc18f", "#c98a1b", "#b0552f", "#c04a7a", "#1c6fb5")
MEMUP = "#d0342c"
STYLE = (
    "text{font:13px sans-serif;fill:#444}.t{font-weight:bold;fill:#222}.h{fill:#777;font-size:12px}"
    ".grid{stroke:#e4e4e4}.middle{text-anchor:middle}.end{text-anchor:end}"
)


def draw(found: dict) -> str:
    """Return the SVG of a result file."""
    cells = [r for r in found["results"] if r["success_rate"] is not None]
    lengths = sorted({r["length"] for r in cells})
    names = list(dict.fromkeys(r["system"] for r in cells))
    others = [name for name in names if not name.startswith("memup")]
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(others)}
    ends = _spread({n: _y(_rates(cells, n)[-1][1]) for n in names})
    parts = [
        '<text class="t" x="20" y="26">Success over the length of Noisy T-Maze</text>',
        f'<text class="h" x="20" y="46">{_about(found)}</text>',
        *_grid(lengths),
        *(p for n in names for p in _line(cells, n, lengths, colours.get(n, MEMUP), ends[n])),
    ]
    return page(WIDTH, HEIGHT, STYLE, parts)


def _about(found: dict) -> str:
    rows = found["results"]
    seeds, limit = max(len(r["seeds"]) for r in rows), max(r["limit_s"] for r in rows)
    return (
        f"mean of {seeds} seeds, the bar is the 95 % interval; at most {limit} s on "
        f"{max(r['processors'] for r in rows)} core(s) for a point; {found['date']}"
    )


def _x(length: int, lengths: list[int]) -> float:
    low, high = math.log(lengths[0]), math.log(max(lengths[-1], lengths[0] + 1))
    return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(length) - low) / (high - low)


def _y(rate: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate)


def _rates(cells: list[dict], name: str) -> list[tuple[int, float, list[float]]]:
    mine = [r for r in cells if r["system"] == name]
    return sorted((r["length"], r["success_rate"], r["success_ci95"]) for r in mine)


def _grid(lengths: list[int]) -> list[str]:
    parts, right = [], WIDTH - RIGHT
    for percent in (0, 25, 50, 75, 100):
        y = _y(percent / 100)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{right}"/>')
        parts.append(f'<text class="h end" x="{LEFT - 8}" y="{y + 4:.1f}">{percent} %</text>')
    for length in lengths:
        x = _x(length, lengths)
        parts.append(f'<text class="h middle" x="{x:.1f}" y="{HEIGHT - 28}">{length:,}</text>')
    middle = (LEFT + right) / 2
    parts.append(f'<text class="h middle" x="{middle:.0f}" y="{HEIGHT - 8}">steps (log)</text>')
    return parts


def _line(cells: list[dict], name: str, lengths: list[int], colour: str, end: float) -> list[str]:
    points = [(_x(n, lengths), _y(rate), ci) for n, rate, ci in _rates(cells, name)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
    parts = [f'<path fill="none" stroke="{colour}" stroke-width="2" d="M{path}"/>']
    for x, y, (low, high) in points:
        parts.append(f'<path stroke="{colour}" d="M{x:.1f} {_y(low):.1f}V{_y(high):.1f}"/>')
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')
    where = f'x="{WIDTH - RIGHT + 14}" y="{end + 4:.1f}"'
    return [*parts, f'<text {where} style="fill:{colour}">{name}</text>']


def _spread(ends: dict[str, float], gap: float = 16.0) -> dict[str, float]:
    """Move labels apart that would lie over each other."""
    placed: dict[str, float] = {}
    lowest = -math.inf
    for name, y in sorted(ends.items(), key=lambda pair: pair[1]):
        lowest = placed[name] = max(y, lowest + gap)
    return placed


def picture() -> str:
    """Return the SVG of what is recorded."""
    return draw(load("agents"))
