"""A run's fields, resolved and checked together; never imports jax.

A field's name is the same in `--help`, in spec.json and in Python: lower-case, with dots.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from memup.agents.table import AGENTS
from memup.core.errors import MemupError, require, unknown_name
from memup.core.options import Option
from memup.core.registry import find
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

    def options(self, prefix: str) -> dict[str, Any]:
        """Return the fields of what a field such as `memory` names: {"size": 64, ...}."""
        return {n: self[f"{prefix}.{n}"] for n in part_options(prefix, self[prefix])}

    def config(self, prefix: str) -> Any:
        """Return the options of the named memory or agent as its dataclass."""
        return PARTS[prefix].table[self[prefix]].config(**self.options(prefix))

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
    part = PARTS[name]
    words = value.split("+") if name == "method.selector" else [value]
    entries = [find(part.table, part.kind, word) for word in words]
    return {n: option for entry in entries for n, option in entry.options.items()}


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
    _check(spec)
    run = RunSpec(spec)
    for prefix in ("memory", "agent"):
        run.config(prefix).check()
    return run


def _check(spec: Mapping[str, Any]) -> None:
    _check_source(spec)
    _check_agent(spec)

    if spec["method.target"] == "q-value":
        _check_values(spec)
    _check_method(spec)


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


def _check_values(spec: Mapping[str, Any]) -> None:
    require(
        spec["training"] == "joint",
        f"training={spec['training']!r}: target 'q-value' needs an agent that acts while episodes "
        "are stored; expected 'joint'",
    )
    require(
        spec["method.likelihood"] != "categorical",
        "method.likelihood='categorical': the values of target 'q-value' are real numbers; "
        "expected 'normal'",
    )


def _check_agent(spec: Mapping[str, Any]) -> None:
    if spec["agent"] == "greedy":
        require(
            spec["training"] == "two-phase",
            f"training={spec['training']!r}: agent 'greedy' learns nothing; expected 'two-phase'",
        )
        require(
            spec["method.target"] in ("reward", "return"),
            f"method.target={spec['method.target']!r}: agent 'greedy' needs 'reward' or 'return'",
        )
        require(
            spec["method.query_length"] == 1,
            f"method.query_length={spec['method.query_length']}: agent 'greedy' sees one step; "
            "expected 1",
        )
    if spec["agent"] == "merlin":
        require(
            spec["training"] == "end-to-end",
            f"training={spec['training']!r}: agent 'merlin' trains a memory of its own; "
            "expected 'end-to-end'",
        )


def _check_method(spec: Mapping[str, Any]) -> None:
    joint_surprise = spec["training"] == "joint" and spec["method.detector"] == "surprise"
    if joint_surprise:
        raise MemupError(
            "method.detector='surprise': expected 'entropy' or 'quantile' in joint training"
        )
    require(
        spec["method.query_stride"] <= spec["method.window"],
        f"method.query_stride={spec['method.query_stride']}: expected at most "
        f"method.window={spec['method.window']}",
    )
    # An agent that trains its own memory has no store, or would leave the option unread.
    require(
        not spec["method.events"] or spec["training"] != "end-to-end",
        f"method.events={spec['method.events']:g}: expected stored episodes, to know what is rare; "
        "training='end-to-end' has none",
    )
    for name in ("method.dropout", "method.state_reset_prob"):
        require(
            not spec[name] or spec["training"] != "end-to-end",
            f"{name}={spec[name]:g}: an agent that trains its own memory loses nothing; expected 0 "
            "for training='end-to-end'",
        )
    if "method.order.segment_length" in spec:
        own = (f"order.{name}" for name in ("segment_length", "segments", "long_rows"))
        _check_pieces(*(spec[f"method.{name}"] for name in ("window", *own)))


def _check_pieces(window: int, piece: int, visits: int, old: float) -> None:
    if not piece:
        return
    require(
        window % piece == 0,
        f"method.order.segment_length={piece}: expected a divisor of method.window={window}",
    )
    # An old life begins with a window.
    require(
        old == 0 or visits * piece % window == 0,
        f"method.order.segments={visits}: expected a multiple of the {window // piece} pieces that "
        "a window is put together from, as method.order.long_rows is not 0",
    )
