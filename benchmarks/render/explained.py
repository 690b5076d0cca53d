"""Draw the picture of the method from a run's explain.json as an SVG file."""

import json
from pathlib import Path

from benchmarks.render.markdown import page

OUTPUT = Path(__file__).parents[2] / "docs" / "images" / "method.svg"
WIDTH, HEIGHT, LEFT, RIGHT = 900, 410, 70, 20
TOP, MIDDLE = (50, 150), (245, 365)
STYLE = (
    "text{font:13px sans-serif;fill:#444}.t{font-weight:bold;fill:#222}.axis{stroke:#999}"
    ".a{stroke:#b5541c;fill:none;stroke-width:2}.b{stroke:#1c6fb5;fill:none;stroke-width:2}"
    ".w{fill:#1c6fb5;opacity:.18}.dash{stroke:#999;stroke-dasharray:5 4;fill:none}"
)


def draw(explain: dict, window: int) -> str:
    """Return the SVG: uncertainty above; below, the target's loss from the memory at each step."""
    last = max(explain["length"] - 1, 1)

    def x(step: float) -> float:
        return LEFT + step / last * (WIDTH - LEFT - RIGHT)

    high = max(explain["uncertainty"])
    without = explain["loss_without_memory"][0]
    worst = max(*explain["loss_with_memory"], without)
    target = explain["target_step"]
    above = _line(explain["t"], explain["uncertainty"], x, high, TOP)
    below = _line(explain["query"], explain["loss_with_memory"], x, worst, MIDDLE)
    level = MIDDLE[1] - without / worst * (MIDDLE[1] - MIDDLE[0])
    arrow = f"M{x(window / 2):.0f} 182 C{x(last * 0.2):.0f} 212,{x(last * 0.8):.0f} 212,"
    shown = max(x(window) - x(0), 4.0)
    parts = [
        f'<text class="t" x="{LEFT}" y="20">{explain["env"]}: one episode of random play</text>',
        f'<text x="{LEFT}" y="40">uncertainty of each outcome without memory, nats</text>',
        *_axis(TOP, high),
        f'<path class="a" d="{above}"/>',
        f'<rect class="w" x="{LEFT}" y="{TOP[0]}" width="{shown:.1f}" height="100"/>',
        f'<path class="dash" d="{arrow}{x(target):.0f} 182"/>',
        f'<text x="{LEFT + 6}" y="174">a window of {window} steps is trained ...</text>',
        f'<text x="{WIDTH - RIGHT}" y="174" text-anchor="end">... to predict step {target:,}'
        "</text>",
        f'<text x="{LEFT}" y="234">loss of that prediction from the memory at each step, nats'
        " (dashed: without memory)</text>",
        *_axis(MIDDLE, worst),
        f'<path class="dash" d="M{LEFT} {level:.1f}H{WIDTH - RIGHT}"/>',
        f'<path class="b" d="{below}"/>',
        f'<text x="{LEFT}" y="{MIDDLE[1] + 20}">step 0</text>',
        f'<text x="{WIDTH - RIGHT}" y="{MIDDLE[1] + 20}" text-anchor="end">step {last:,}</text>',
    ]
    return page(WIDTH, HEIGHT, STYLE, parts)


def _line(steps: list, values: list, x, high: float, span: tuple[int, int]) -> str:
    top, bottom = span
    points = [
        f"{x(s):.1f} {bottom - v / high * (bottom - top):.1f}"
        for s, v in zip(steps, values, strict=True)
    ]
    return "M" + "L".join(points)


def _axis(span: tuple[int, int], high: float) -> list[str]:
    top, bottom = span
    return [
        f'<path class="axis" d="M{LEFT} {top}V{bottom}H{WIDTH - RIGHT}" fill="none"/>',
        f'<text x="{LEFT - 8}" y="{top + 5}" text-anchor="end">{high:.2f}</text>',
        f'<text x="{LEFT - 8}" y="{bottom + 5}" text-anchor="end">0</text>',
    ]


def write(run: Path) -> None:
    """Draw the picture of a run into docs/images."""
    explain = json.loads((run / "explain.json").read_text())
    spec = json.loads((run / "spec.json").read_text())
    OUTPUT.write_text(draw(explain, spec["spec"]["method.window"]))
