"""Runs that are known to work: each says its command, its time and what it reaches."""

from collections.abc import Callable, Mapping
from typing import Any

from memup.core.errors import unknown_name
from memup.specs.presets.agents import AGENT_PRESETS
from memup.specs.presets.long import LONG_PRESETS
from memup.specs.presets.mazes import MAZE_PRESETS
from memup.specs.presets.tasks import TASK_PRESETS
from memup.specs.presets.zoo import ZOO_PRESETS
from memup.specs.spec import RunSpec, carried, make_spec

PRESETS: dict[str, Callable[[], Mapping[str, Any]]] = {
    **MAZE_PRESETS,
    **LONG_PRESETS,
    **AGENT_PRESETS,
    **ZOO_PRESETS,
    **TASK_PRESETS,
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
    base = PRESETS[name]()
    return make_spec({**carried(base, given), **given})


def spec(**fields: Any) -> RunSpec:
    """Return a spec without a preset: every field that is not given has its default.

    Args:
        **fields: as the overrides of `preset`.

    Raises:
        MemupError: an unknown field or a bad value.
    """
    return make_spec({field.replace("__", "."): value for field, value in fields.items()})
