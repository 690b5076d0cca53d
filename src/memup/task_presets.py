"""Supervised tasks that are known to be learned: each preset says what it reaches, and when."""

from collections.abc import Callable, Mapping
from typing import Any

_TASK = {"training": "supervised", "method.target": "label"}
# Ten questions that look alike are told apart by how many of them came just before.
_COPY = {
    **_TASK,
    "memory.size": 128,
    "method.rows": 128,
    "method.context": 10,
    "method.targets": 10,
    "method.query_stride": 10,
    "method.order": "jump",
    "method.visits": 3,
    "collect.episodes": 4000,
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
