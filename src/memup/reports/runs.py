"""What a report needs of each run, read once; whatever is missing stays None or empty."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memup.core.errors import MemupError
from memup.runs.rundir import RunDir, flatten

Row = dict[str, Any]


@dataclass(frozen=True)
class Story:
    """One run as the report tells it.

    Attributes:
        label: what it is called on the page, unique among the runs shown.
        path: its directory.
        record: all of spec.json.
        spec: the spec with dotted names.
        state: "running", "done", "failed", "interrupted", "stopped" (killed) or "unknown".
        status: all of status.json.
        metrics: rows of metrics.jsonl.
        results: rows of eval.jsonl, the last of each name and environment.
        explain: explain.json, or None.
    """

    label: str
    path: Path
    record: Row
    spec: Row
    state: str
    status: Row
    metrics: list[Row]
    results: list[Row]
    explain: Row | None

    def field(self, name: str) -> str | None:
        """Return a field of the spec that is a name, given as `memory` or as `memory.name`."""
        value = self.spec.get(name, self.spec.get(f"{name}.name"))
        return None if value is None else str(value)


def read(runs: Sequence[RunDir]) -> list[Story]:
    """Read the runs of one report.

    Raises:
        MemupError: none is given, or one has no spec that can be read.
    """
    if not runs:
        raise MemupError("a report needs at least one run directory")
    return [_story(run, label) for run, label in zip(runs, labels(runs), strict=True)]


def labels(runs: Sequence[RunDir]) -> list[str]:
    """Return the shortest ends of the paths that tell the runs apart."""
    parts = [run.path.resolve().parts for run in runs]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(p[-length:]) for p in parts]
        if len(set(names)) == len(names):
            return names
    return [f"{p[-1]} ({number})" for number, p in enumerate(parts, start=1)]


def _story(run: RunDir, label: str) -> Story:
    record = run.read_json("spec.json")
    spec = flatten(run.spec)
    status = _optional(run, "status.json") or {}
    state = str(status.get("state", "unknown"))
    if state == "running" and not run.in_use():
        state = "stopped"
    results = latest(run.rows("eval"))
    return Story(
        label=label,
        path=run.path,
        record=record,
        spec=spec,
        state=state,
        status=status,
        metrics=run.rows("metrics"),
        results=[{**row, "run": label} for row in results],
        explain=_optional(run, "explain.json"),
    )


def latest(rows: Sequence[Row]) -> list[Row]:
    """Return the last row of each name and environment, in the order of their first ones."""
    last: dict[tuple[Any, Any], Row] = {}
    for row in rows:
        last[row.get("name"), row.get("env")] = row
    return list(last.values())


def _optional(run: RunDir, name: str) -> Row | None:
    try:
        value = run.read_json(name)
    except MemupError:
        return None
    return value if isinstance(value, dict) else None
