"""A run's fields, resolved and checked together; never imports jax.

A field's name is the same in `--help`, in spec.json and in Python: lower-case, with dots.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from memup.agents.table import AGENTS
from memup.core.errors import require, unknown_name
from memup.core.options import Config, Option
from memup.core.registry import Entry, find
from memup.envs.table import check_env_id
from memup.specs.general import GENERAL, PARTS
from memup.tasks.table import check_task_id


@dataclass(frozen=True)
class RunSpec(Mapping[str, Any]):
    """All fields of a run, resolved: `spec["method.window"]`."""

    values_: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """Return a field."""
        return self.values_[name]

    def __iter__(self) -> Iterator[str]:
        """Names of the fields."""
        return iter(self.values_)

    def __len__(self) -> int:
        """Number of fields."""
        return len(self.values_)

    def options(self, name: str) -> dict[str, Any]:
        """Return the fields of what a field such as `memory` names: {"size": 64, ...}."""
        return {n: self[f"{PARTS[name].prefix}.{n}"] for n in part_options(name, self[name])}

    def config(self, name: str) -> Any:
        """Return the options of what a field such as `memory` names as their dataclass."""
        [config] = self.configs(name)
        return config

    def configs(self, name: str) -> list[Config]:
        """Return those of all that a field names: several may be joined by "+"."""
        options = self.options(name)
        return [
            entry.config(**{n: options[n] for n in entry.options})
            for entry in _entries(name, self[name])
        ]

    def replace(self, given: Mapping[str, Any]) -> "RunSpec":
        """Return a spec in which some fields are others; checked as `make_spec` checks."""
        return make_spec({**carried(self, given), **given})


def chosen(given: Mapping[str, Any]) -> dict[str, str]:
    """Return what each part is; an agent may have a default memory of its own."""
    names = {n: str(given.get(n, GENERAL[n].default)) for n in PARTS}
    own = find(AGENTS, "agent", names["agent"]).fields
    return names if "memory" in given else {**names, **own}


def carried(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `base` that still hold when `given` may name other parts.

    Another part has other fields: those of the base's own one are left out; and a value that was
    meant for it and is none of the other one's (a time scale of 0, say) gives way to the default.
    """
    before, after = chosen(base), chosen({**base, **given})
    options = all_options({**base, **given})
    other = tuple(f"{part.prefix}." for n, part in PARTS.items() if before[n] != after[n])
    return {
        name: value
        for name, value in base.items()
        if name in options and (not name.startswith(other) or options[name].takes(value))
    }


def part_options(name: str, value: str) -> dict[str, Option]:
    """Return the options of what a field names, which may be several joined by "+"."""
    return {n: option for entry in _entries(name, value) for n, option in entry.options.items()}


def _entries(name: str, value: str) -> list[Entry]:
    part = PARTS[name]
    words = value.split("+") if name == "method.selector" else [value]
    return [find(part.table, part.kind, word) for word in words]


def all_options(given: Mapping[str, Any]) -> dict[str, Option]:
    """Return every field that exists for the parts that are given, by name: general ones first."""
    names = chosen(given)
    own = {n: replace(GENERAL[n], default=v) for n, v in AGENTS[names["agent"]].fields.items()}
    special = {
        f"{PARTS[name].prefix}.{n}": option
        for name, value in names.items()
        for n, option in part_options(name, value).items()
    }
    return {**GENERAL, **own, **special}


def make_spec(given: Mapping[str, Any]) -> RunSpec:
    """Resolve fields, given as text or values, and check them together.

    Args:
        given: field name to value; the others take their defaults.

    Raises:
        MemupError: an unknown field or name, with the nearest one; a value out of bounds; or
            fields that do not fit together.
    """
    options = all_options(given)
    for name in given:
        if name not in options:
            raise unknown_name("field", name, options)
    spec = {n: option.parse(n, given.get(n, option.default)) for n, option in options.items()}
    _check_source(spec)
    require(
        spec["method.query_stride"] <= spec["method.window"],
        f"method.query_stride={spec['method.query_stride']}: expected at most "
        f"method.window={spec['method.window']}",
    )
    run = RunSpec(spec)
    for name in PARTS:
        for config in run.configs(name):
            config.check(run)
    return run


def _check_source(spec: Mapping[str, Any]) -> None:
    """Check where sequences come from: an environment, a data set or a task."""
    given = [name for name in ("env", "dataset", "task") if spec[name]]
    require(len(given) < 2, f"{' and '.join(given)}: expected one of them")
    if given == ["env"]:
        check_env_id(spec["env"])
        require(
            spec["training"] != "supervised", "training='supervised': expected a dataset or a task"
        )
    elif given:
        require(
            spec["training"] == "supervised",
            f"training={spec['training']!r}: a {given[0]} has no environment; "
            "expected 'supervised'",
        )
    if spec["task"]:
        check_task_id(spec["task"])
        require(
            spec["method.target"] == "label",
            f"method.target={spec['method.target']!r}: a task has labels; expected 'label'",
        )
