"""What a run leaves in its directory while it goes: metrics, checkpoints, TensorBoard, status."""

import contextlib
import math
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from memup.core.errors import require
from memup.phases.fit import Event
from memup.runs.checkpoint import save
from memup.runs.rundir import RunDir

CHECKPOINT = "last.safetensors"
CHECKPOINT_EVERY_S = 10.0


def memory_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that say which memory a run has."""
    return {n: value for n, value in spec.items() if n == "memory" or n.startswith("memory.")}


def check_memory_of(path: Path, begun: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
    """Refuse the state of another memory, whose arrays may be of the same shapes.

    Args:
        path: the checkpoint, for the error.
        begun: what the checkpoint says beside its arrays.
        spec: of the run that would go on from it.

    Raises:
        MemupError: it is of another memory.
    """
    wanted = memory_of(spec)
    for name, found in begun.get("memory", wanted).items():
        expected = wanted.get(name)
        require(
            found == expected,
            f"checkpoint {path} is of a run with {name}={found}, expected {expected}",
        )


class Recorder:
    """Writes events into a run directory.

    Args:
        run: the directory.
        begun: what the checkpoint said that the run goes on from; nothing for a new run.
    """

    def __init__(self, run: RunDir, begun: dict[str, Any]):
        self.run = run
        kept = begun.get("rows", {"metrics": 0, "eval": 0})
        self.count = {kind: run.truncate(kind, kept[kind]) for kind in ("metrics", "eval")}
        rows = run.rows("metrics")
        self._before = rows[-1]["wall_s"] if rows else 0.0
        self._start = self._saved = time.perf_counter()
        self._board: Any = None

    def write(self, event: Event) -> dict[str, Any]:
        """Append an event's metrics; return the row."""
        metrics = dict(event.metrics)
        spec = self.run.spec
        source = spec.get("env") or spec.get("task") or spec.get("dataset", "")
        if "eval" in metrics:
            self.run.append("eval", {"env": source, **metrics.pop("eval")})
            self.count["eval"] += 1
        if "explain" in metrics:
            self.run.write_json("explain.json", {"env": source, **metrics.pop("explain")})
        wall = self._before + time.perf_counter() - self._start
        row = {"step": event.step, "phase": event.phase, "wall_s": round(wall, 3), **metrics}
        self.run.append("metrics", row)
        self.count["metrics"] += 1
        self.run.set_status("running", event.phase)
        self._draw(row)
        return row

    def checkpoint(self, event: Event, force: bool = False) -> None:
        """Save a checkpoint when a phase ends, every ten seconds, or if told to."""
        now = time.perf_counter()
        if force or event.last or now - self._saved >= CHECKPOINT_EVERY_S:
            snapshot = event.snapshot()
            about = {**snapshot.about, "rows": self.count, "memory": memory_of(self.run.spec)}
            save(self.run.checkpoints / CHECKPOINT, snapshot.tree, about)
            self._saved = time.perf_counter()

    def _draw(self, row: dict[str, Any]) -> None:
        if self._board is None:
            from tensorboardX import SummaryWriter

            self._board = SummaryWriter(str(self.run.path / "tensorboard"), flush_secs=5)
        for name, value in row.items():
            number = isinstance(value, (int, float)) and math.isfinite(value)
            if number and name not in {"step", "wall_s"}:
                self._board.add_scalar(f"{row['phase']}/{name}", value, row["step"])

    def close(self) -> None:
        """Flush what is left."""
        if self._board is not None:
            self._board.close()


@contextlib.contextmanager
def polite_interrupt() -> Iterator[list[bool]]:
    """Let Ctrl-C end a run between two advances; a second one ends it at once.

    Yields:
        A list that is no longer empty once Ctrl-C was pressed.
    """
    asked: list[bool] = []

    def ask(signum: int, frame: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)

    try:
        before = signal.signal(signal.SIGINT, ask)
    except ValueError:  # not in the main thread: whoever runs us handles interrupts
        yield asked
        return
    try:
        yield asked
    finally:
        signal.signal(signal.SIGINT, before)
