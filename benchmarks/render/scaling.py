"""Draw benchmarks/results/scaling.json: time to learn and memory over length, both axes log."""

import math
from collections.abc import Callable, Iterator

from benchmarks.render.markdown import by, load, page

WIDTH, HEIGHT, TOP, BOTTOM = 900, 360, 70, 300
PANELS = {"time": (70, 410), "memory": (530, 850)}
LENGTHS = (100, 1_000_000)
RANGES = {"time": (1, 1000), "memory": (100, 10_000)}
TITLES = {
    "time": "seconds until the memory answers 99 % (cross: not reached)",
    "memory": "MiB of the process's own memory, most",
}
COLOURS = {
    "MemUP, jump": "#1c6fb5",
    "MemUP, staggered": "#4fa3a0",
    "truncated BPTT": "#b5541c",
    "full BPTT": "#7a4fb5",
}
STYLE = (
    "text{font:13px sans-serif;fill:#444}.t{font-weight:bold;fill:#222}.grid{stroke:#e4e4e4}"
    ".h{fill:#777;font-size:12px}.end{text-anchor:end}.middle{text-anchor:middle}"
)


def picture() -> str:
    """Return the SVG of all that is recorded and not void."""
    return draw(load("scaling").get("results", []))


def draw(results: list[dict]) -> str:
    """Return the SVG; of several seeds the median counts."""
    good = [r for r in results if not {"error", "void"} & r.keys()]
    shown = by(good, "method")
    parts = ['<text class="t" x="20" y="26">A dependency of L steps, learned with r = 20</text>']
    for panel in PANELS:
        parts += _frame(panel)
    for method, rows in shown.items():
        parts += _curves(method, by(rows, "length"))
    for place, (method, colour) in enumerate(COLOURS.items()):
        x = 70 + 200 * place
        parts.append(f'<circle cx="{x}" cy="340" r="5" fill="{colour}"/>')
        note = "" if method in shown else " (void)"
        parts.append(f'<text x="{x + 12}" y="345">{method}{note}</text>')
    return page(WIDTH, HEIGHT, STYLE, parts)


def _frame(panel: str) -> Iterator[str]:
    left, right = PANELS[panel]
    x, y = _scales(panel)
    yield f'<text class="h" x="{left}" y="{TOP - 16}">{TITLES[panel]}</text>'
    for length in _decades(*LENGTHS):
        yield f'<path class="grid" d="M{x(length):.0f} {TOP}V{BOTTOM}"/>'
        yield f'<text class="h middle" x="{x(length):.0f}" y="{BOTTOM + 18}">{length:,}</text>'
    for value in _decades(*RANGES[panel]):
        yield f'<path class="grid" d="M{left} {y(value):.0f}H{right}"/>'
        yield f'<text class="h end" x="{left - 8}" y="{y(value) + 4:.0f}">{value:,}</text>'


def _curves(method: str, lengths: dict[str, list[dict]]) -> Iterator[str]:
    colour = COLOURS[method]
    for panel in PANELS:
        x, y = _scales(panel)
        points = []
        for length, rows in sorted(lengths.items(), key=lambda pair: int(pair[0])):
            value = _middle(rows, panel)
            learned = panel == "memory" or min(r["success_rate"] for r in rows) >= 0.99
            at = x(int(length)), y(value if learned else RANGES[panel][1])
            if learned:
                points.append(f"{at[0]:.1f} {at[1]:.1f}")
                yield f'<circle cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="5" fill="{colour}"/>'
            else:
                # Side by side, or one would hide another.
                left = at[0] - 5 + 12 * (list(COLOURS).index(method) - 2)
                cross = f"M{left:.0f} {at[1] - 5:.0f}l10 10m-10 0l10 -10"
                yield f'<path d="{cross}" stroke="{colour}" stroke-width="2"/>'
        if points:
            path = "M" + "L".join(points)
            yield f'<path d="{path}" stroke="{colour}" stroke-width="2" fill="none"/>'


def _middle(rows: list[dict], panel: str) -> float:
    values = sorted(
        r["phases_s"]["detect"] + r["phases_s"]["memory"]
        if panel == "time"
        else r["peak_anonymous_mib"]
        for r in rows
    )
    return values[len(values) // 2]


def _scales(panel: str) -> tuple[Callable[[float], float], Callable[[float], float]]:
    left, right = PANELS[panel]

    def scale(value: float, span: tuple[int, int], a: float, b: float) -> float:
        low, high = (math.log10(v) for v in span)
        return a + (math.log10(min(max(value, span[0]), span[1])) - low) / (high - low) * (b - a)

    return (
        lambda length: scale(length, LENGTHS, left, right),
        lambda value: scale(value, RANGES[panel], BOTTOM, TOP),
    )


def _decades(low: int, high: int) -> list[int]:
    return [10**n for n in range(round(math.log10(low)), round(math.log10(high)) + 1)]
