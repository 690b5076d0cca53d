"""Where the time went: by phase, compiling apart from running."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass
class PhaseTime:
    """Time of one phase, over all its turns.

    Attributes:
        phase: its name.
        total: wall-clock seconds.
        compiling: those of them that went to compiling programs.
        updates: its last count of updates, if it has one.
        env_steps: its last count of environment steps, if it has one.
        speed: its last steps per second, if it says so.
    """

    phase: str
    total: float = 0.0
    compiling: float = 0.0
    updates: int | float | None = None
    env_steps: int | float | None = None
    speed: int | float | None = None

    @property
    def running(self) -> float:
        """Seconds that did not go to compiling."""
        return max(0.0, self.total - self.compiling)


def phase_times(rows: Sequence[Mapping[str, Any]]) -> list[PhaseTime]:
    """Add up the time of each phase, in the order in which they began.

    A row owns the time since the row before it. Where a clock falls (a run that was continued) it
    began again at zero.

    Args:
        rows: rows of metrics.jsonl: `wall_s` counts on through the phases, `compile_s` through
            the advances of one phase.
    """
    times: dict[str, PhaseTime] = {}
    before: dict[str, float] = {}
    for row in rows:
        time = times.setdefault(_phase(row), PhaseTime(_phase(row)))
        time.total += _since(before, "", row.get("wall_s"))
        time.compiling += _since(before, time.phase, row.get("compile_s"))
        time.updates = row.get("updates", time.updates)
        time.env_steps = row.get("env_steps", time.env_steps)
        time.speed = row.get("steps_per_second") or time.speed
    return list(times.values())


def _since(before: dict[str, float], clock: str, now: int | float | None) -> float:
    if now is None:
        return 0.0
    last, before[clock] = before.get(clock, 0.0), float(now)
    return float(now - last if now >= last else now)


def _phase(row: Mapping[str, Any]) -> str:
    return str(row.get("phase") or "-")
