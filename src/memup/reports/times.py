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

    A row owns the time since the row before it. Where the clock falls (a run that was continued)
    it began again at zero.

    Args:
        rows: rows of metrics.jsonl: `wall_s` counts on through the phases, `compile_s` is what the
            row's own stretch spent on compiling.
    """
    times: dict[str, PhaseTime] = {}
    before = 0.0
    for row in rows:
        time = times.setdefault(_phase(row), PhaseTime(_phase(row)))
        now = row.get("wall_s")
        if now is not None:
            time.total += now - before if now >= before else now
            before = now
        time.compiling += row.get("compile_s") or 0.0
        time.updates = row.get("updates", time.updates)
        time.env_steps = row.get("env_steps", time.env_steps)
        time.speed = row.get("steps_per_second") or time.speed
    return list(times.values())


def _phase(row: Mapping[str, Any]) -> str:
    return str(row.get("phase") or "-")
