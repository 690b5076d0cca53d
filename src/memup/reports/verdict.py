"""One sentence that says what came out, and whether the numbers carry it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from memup.reports.text import bounds, number, percent

Row = Mapping[str, Any]
# What is judged, in the order of preference: column, its interval, how it is told.
MEASURES: tuple[tuple[str, str, str, Callable[[Any], str]], ...] = (
    ("success_rate", "success_ci95", "{name} succeeds in {value} of {episodes}", percent),
    ("accuracy", "accuracy_ci95", "{name} answers {value} of {episodes} right", percent),
    (
        "return_mean",
        "return_ci95",
        "{name} reaches a mean return of {value} over {episodes}",
        number,
    ),
)
PLAIN = {
    "running": "The run is still going{phase}; no evaluation yet.",
    "done": "The run is done; it has no evaluation yet (`memup eval` makes one).",
    "failed": "The run failed{phase}{error}.",
    "interrupted": "The run was interrupted{phase}; the same command goes on from its checkpoint.",
    "stopped": "The run was killed{phase}; the same command goes on from its checkpoint.",
}


def verdict(rows: Sequence[Row], status: Row, state: str) -> str:
    """Return the sentence.

    Args:
        rows: results of all runs shown; the first called MemUP is judged, else the first.
        status: status.json of the first run.
        state: its state.
    """
    if state == "failed" or not rows:
        phase = f" in phase {status['phase']}" if status.get("phase") else ""
        error = f": {str(status['error']).rstrip('.')}" if status.get("error") else ""
        plain = PLAIN.get(state, "Nothing has been measured yet.")
        return plain.format(phase=phase, error=error)
    main = next((r for r in rows if "memup" in _name(r).lower()), rows[0])
    for key, interval, words, write in MEASURES:
        if main.get(key) is not None:
            return _judge(main, rows, key, interval, words, write)
    if main.get("note"):
        return f"{_name(main)} was {main['note']}."
    return f"{_name(main)} has been evaluated; see the table."


def _judge(
    main: Row,
    rows: Sequence[Row],
    key: str,
    interval: str,
    words: str,
    write: Callable[[Any], str],
) -> str:
    episodes = f"{number(main['episodes'])} episodes" if main.get("episodes") else "all episodes"
    told = words.format(name=_name(main), value=write(main[key]), episodes=episodes)
    ends = bounds(main.get(interval))
    others = [
        r
        for r in rows
        if r is not main and r.get(key) is not None and r.get("env") == main.get("env")
    ]
    if not others:
        within = f" (95 % interval {write(ends[0])} to {write(ends[1])})" if ends else ""
        return f"{told}{within}."
    best = max(others, key=lambda row: row[key])
    who = _name(best) if len(others) == 1 else f"the best of the others, {_name(best)},"
    if _name(best) == _name(main) and best.get("run"):
        who = f"the run {best['run']}"
    return (
        f"{told}; {who} reaches {write(best[key])}{_certainty(ends, bounds(best.get(interval)))}."
    )


def _certainty(mine: Any, theirs: Any) -> str:
    if mine is None or theirs is None:
        return ""
    if mine[0] > theirs[1] or mine[1] < theirs[0]:
        return ", and the 95 % intervals are apart"
    return ", but the 95 % intervals overlap: this alone shows no difference"


def _name(row: Row) -> str:
    return str(row.get("name") or row.get("run") or "The run")
