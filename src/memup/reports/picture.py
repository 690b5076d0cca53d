"""The picture that explains the method: one episode, its uncertain steps, and what memory is worth.

Above, the detector's uncertainty at each step and the targets chosen by it; below, the loss of
predicting one target from the memory at each step before it, with and without the memory's content.
"""

import html
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any

from memup.reports.text import Number, number

Explain = Mapping[str, Any]
NEEDED = ("t", "uncertainty")


def picture(explain: Explain | None) -> dict[str, Any] | None:
    """Make the figure.

    Args:
        explain: explain.json of a run, or None.

    Returns:
        Data and layout for plotly, or None where there is nothing to draw.
    """
    if explain is None or not all(explain.get(key) for key in NEEDED):
        return None
    if len(explain["t"]) != len(explain["uncertainty"]):
        return None
    unit = html.escape(str(explain.get("unit", "nats")))
    below = _losses(explain, unit)
    top = max((u for u in explain["uncertainty"] if u is not None), default=1.0) or 1.0
    marks = _events(explain, top) + _target_line(explain, below)
    data = [_uncertainty(explain, unit), *marks, *_targets(explain, unit), *below]
    return {"data": data, "layout": _layout(unit, top, bool(below), _last(explain))}


def sentences(explain: Explain) -> tuple[str, str]:
    """Say in two sentences what the picture shows."""
    unit = str(explain.get("unit", "nats"))
    steps = [_step(target) for target in explain.get("targets") or ()]
    chosen = f"the {len(steps)} marked steps are" if len(steps) != 1 else "the marked step is"
    first = (
        "Above: how unsure the detector is about what comes at each step when it may look at that "
        f"step alone; {chosen} what the memory is trained to predict, however far ahead."
    )
    without, with_ = (_mean(explain.get(f"loss_{key}_memory")) for key in ("without", "with"))
    if without is None or with_ is None:
        return first, "How well the memory predicts them has not been measured yet."
    second = (
        f"Below: the loss of predicting step {explain.get('target_step', '?')} from the memory as "
        f"it is at each step before: {number(with_)} {unit} on average with the memory, "
        f"{number(without)} without it (a fair coin costs 0.693 nats); the gap is what it "
        "remembers."
    )
    return first, second


def _uncertainty(explain: Explain, unit: str) -> dict[str, Any]:
    return _trace(
        explain["t"],
        explain["uncertainty"],
        name="uncertainty",
        mode="lines",
        line={"color": "--c1", "width": 1.5},
        fill="tozeroy",
        fillcolor="--c1-soft",
        hovertemplate=f"step %{{x}}: %{{y:.3g}} {unit}<extra>uncertainty</extra>",
    )


def _targets(explain: Explain, unit: str) -> list[dict[str, Any]]:
    targets = explain.get("targets") or []
    if not targets:
        return []
    steps = [_step(target) for target in targets]
    counts = [_count(target) for target in targets]
    most = max(counts)
    return [
        _trace(
            steps,
            [_at(explain, step) for step in steps],
            name="chosen targets",
            mode="markers",
            customdata=counts,
            cliponaxis=False,
            marker={
                "color": "--c0",
                "size": [8 + 6 * count / most for count in counts],
                "line": {"color": "--page", "width": 1.5},
            },
            hovertemplate=f"step %{{x}}: %{{y:.3g}} {unit}<br>chosen %{{customdata}} times"
            "<extra>target</extra>",
        )
    ]


def _losses(explain: Explain, unit: str) -> list[dict[str, Any]]:
    query = explain.get("query") or []
    made = []
    for key, colour, fill in (("without", "--c1", None), ("with", "--c0", "tonexty")):
        losses = explain.get(f"loss_{key}_memory") or []
        if not query or len(losses) != len(query):
            continue
        more = {"fill": fill, "fillcolor": "--c0-soft"} if fill and made else {}
        made.append(
            _trace(
                query,
                losses,
                name=f"{key} memory",
                mode="lines+markers" if len(query) <= 60 else "lines",
                line={"color": colour, "width": 2, "dash": "dash" if key == "without" else "solid"},
                marker={"size": 5},
                yaxis="y2",
                hovertemplate=f"step %{{x}}: %{{y:.3g}} {unit}<extra>{key} memory</extra>",
                **more,
            )
        )
    return made


def _events(explain: Explain, top: Number) -> list[dict[str, Any]]:
    made = []
    for event in explain.get("events") or ():
        step, label = event.get("step"), html.escape(str(event.get("label", "")))
        made.append(
            _trace(
                [step, step],
                [0, 1.12 * top],
                mode="lines+text",
                text=["", f" {label} "],
                textposition="middle right" if 2 * step < _last(explain) else "middle left",
                textfont={"color": "--c2"},
                line={"color": "--c2", "width": 1.5, "dash": "dot"},
                showlegend=False,
                cliponaxis=False,
                hovertemplate=f"step %{{x}}: {label}<extra></extra>",
            )
        )
    return made


def _target_line(explain: Explain, below: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    step = explain.get("target_step")
    losses = [y for trace in below for y in trace["y"] if y is not None]
    if step is None or not losses:
        return []
    top = max(1.1 * max(losses), 0.1)
    return [
        _trace(
            [step, step],
            [min(0, *losses), top],
            name="the step predicted",
            mode="lines",
            line={"color": "--muted", "width": 1.5, "dash": "dot"},
            yaxis="y2",
            hovertemplate="step %{x}: the step predicted<extra></extra>",
        )
    ]


def _layout(unit: str, top: Number, below: bool, last: Number) -> dict[str, Any]:
    upper = {"title": {"text": f"uncertainty ({unit})"}, "range": [0, 1.2 * top]}
    lower = {"title": {"text": f"loss ({unit})"}, "rangemode": "tozero", "domain": [0, 0.46]}
    return {
        "height": 520 if below else 300,
        "hovermode": "closest",
        "xaxis": {
            "title": {"text": "step of the episode"},
            "anchor": "y2" if below else "y",
            "range": [-0.01 * last, 1.01 * last],
        },
        "yaxis": upper | ({"domain": [0.56, 1]} if below else {}),
        **({"yaxis2": lower} if below else {}),
    }


def _trace(x: Sequence[Any], y: Sequence[Any], **how: Any) -> dict[str, Any]:
    return {"type": "scatter", "x": list(x), "y": list(y), **how}


def _step(target: Any) -> Any:
    return target.get("step") if isinstance(target, Mapping) else target


def _count(target: Any) -> Any:
    return (target.get("count") or 1) if isinstance(target, Mapping) else 1


def _last(explain: Explain) -> Any:
    return max(explain.get("length") or 1, explain["t"][-1])


def _at(explain: Explain, step: Any) -> Any:
    """Return the uncertainty at a step, or at the next one that was kept."""
    place = min(bisect_left(explain["t"], step), len(explain["t"]) - 1)
    return explain["uncertainty"][place]


def _mean(values: Sequence[Any] | None) -> float | None:
    finite = [value for value in values or () if value is not None]
    return sum(finite) / len(finite) if finite else None
