"""Progress of a run on standard error: what it does, how fast, how long it still takes."""

import sys
import time
from types import TracebackType
from typing import Any

SHOWN = {
    "loss": "loss",
    "held_out_loss": "held out",
    "return": "return",
    "success_rate": "success",
    "memory_loss": "memory loss",
}
LINE_EVERY_S = 10.0


class Progress:
    """A bar a phase on a terminal, or a line now and then where there is none.

    Args:
        quiet: show nothing.
    """

    def __init__(self, quiet: bool = False):
        self.quiet = quiet
        self._bars: Any = None
        self._task: Any = None
        self._phase = ""
        self._begin = self._line = 0.0
        self._known: dict[str, float] = {}

    def __enter__(self) -> "Progress":
        """Begin."""
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                Progress as Bars,
                TaskProgressColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            self._bars = Bars(
                TextColumn("{task.description:<8}"),
                BarColumn(bar_width=20),
                TaskProgressColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[numbers]}"),
                console=Console(stderr=True),
            )
            self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        if self._bars is not None:
            self._bars.stop()

    def show(self, row: dict[str, Any]) -> None:
        """Show a row of metrics."""
        if self.quiet:
            return
        if row["phase"] != self._phase:
            self._new_phase(row["phase"])
        self._known |= {n: row[n] for n in SHOWN if isinstance(row.get(n), (int, float))}
        text = self._numbers(row)
        if self._bars is not None:
            done = min(1.0, row.get("progress", 1.0))
            self._bars.update(self._task, completed=done, numbers=text)
        elif row["step"] == 1 or "note" in row or time.monotonic() - self._line > LINE_EVERY_S:
            share = f"{100 * min(1.0, row.get('progress', 1.0)):.0f} %"
            print(f"memup: {self._phase:<8} {share:>6} {text}", file=sys.stderr, flush=True)
            self._line = time.monotonic()

    def _new_phase(self, phase: str) -> None:
        if self._bars is not None:
            if self._task is not None:  # a phase may stop long before its largest budget
                self._bars.update(self._task, completed=1.0)
            self._task = self._bars.add_task(phase, total=1.0, numbers="")
        self._phase, self._begin, self._known = phase, time.monotonic(), {}

    def _numbers(self, row: dict[str, Any]) -> str:
        parts = [f"{label} {self._known[n]:.4g}" for n, label in SHOWN.items() if n in self._known]
        seconds = max(time.monotonic() - self._begin, 1e-3)
        for name, unit in (("sequence_steps", "sequence steps/s"), ("env_steps", "env steps/s")):
            if name in row and row["step"] > 1 and (name != "env_steps" or "updates" not in row):
                parts.append(f"{row[name] / seconds:,.0f} {unit}")
                break
        if "note" in row:
            parts.insert(0, row["note"])
        if row.get("compile_s"):
            parts.append(f"compiled in {row['compile_s']:.1f} s")
        return " · ".join(parts)
