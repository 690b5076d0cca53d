"""Supervised tasks that are known to be learned: each preset says what it reaches, and when."""

from collections.abc import Callable, Mapping
from typing import Any

_TASK = {"training": "supervised", "method.target": "label", "collect.episodes": 10_000}
_COPY = {
    **_TASK,
    # A running maximum holds without end what the LSTM before it writes. Its exact gradient
    # reaches only the step that wrote, so that blanks are not taught to speak louder.
    "memory": "amrl-max",
    "memory.size": 192,
    "memory.timescale": 0,
    "memory.straight_through": False,
    # Ten questions that look alike are told apart by how many of them came just before.
    "method.context": 10,
    "method.targets": 10,
    "method.query_stride": 20,
    "method.rows": 64,
    "method.order": "jump",
    "method.visits": 2,
    "method.old": 0.1,
    "method.learning_rate": 3e-3,
    "method.last_rate": 0.05,
    "method.updates": 12_000,
    "method.patience": 20,
}


def _copy(blanks: int) -> Callable[[], Mapping[str, Any]]:
    def make() -> Mapping[str, Any]:
        return {**_COPY, "task": f"copy-{blanks}"}

    make.__doc__ = f"""Copy of ten symbols after {blanks:,} blanks.

    $ memup train copy-{blanks}
    """
    return make


TASK_PRESETS: dict[str, Callable[[], Mapping[str, Any]]] = {
    f"copy-{blanks}": _copy(blanks) for blanks in (100, 1000, 5000, 10_000)
}
