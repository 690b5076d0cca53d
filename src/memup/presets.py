"""Runs that are known to work: each says its command, its time and what it reaches."""

from collections.abc import Callable, Mapping
from typing import Any

from memup.config import RunSpec, make_spec
from memup.errors import unknown_name


def tmaze_100() -> Mapping[str, Any]:
    """Noisy T-Maze, 100 steps.

    $ memup train tmaze-100
    """
    return {"env": "tmaze-100", "collect.episodes": 1000}


def tmaze_1000() -> Mapping[str, Any]:
    """Noisy T-Maze, 1,000 steps: the talk's task.

    $ memup train tmaze-1000
    """
    return {"env": "tmaze-1000", "collect.episodes": 2000}


PRESETS: dict[str, Callable[[], Mapping[str, Any]]] = {
    "tmaze-100": tmaze_100,
    "tmaze-1000": tmaze_1000,
}


def preset(name: str, **overrides: Any) -> RunSpec:
    """Return the spec of a preset.

    Args:
        name: one of `memup list presets`.
        **overrides: fields that differ, with underscores doubled for dots
            (`method__window=10`) or by `**{"method.window": 10}`.

    Raises:
        MemupError: no such preset or field, or a bad value.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    given = {field.replace("__", "."): value for field, value in overrides.items()}
    return make_spec({**PRESETS[name](), **given})


def spec(**fields: Any) -> RunSpec:
    """Return a spec without a preset: every field that is not given has its default.

    Args:
        **fields: as the overrides of `preset`.

    Raises:
        MemupError: an unknown field or a bad value.
    """
    return make_spec({field.replace("__", "."): value for field, value in fields.items()})
