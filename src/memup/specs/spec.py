"""Every field that a run has, with its default, bounds and one line of help; never imports jax.

A field's name is the same in `--help`, in spec.json and in Python: lower-case, with dots.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from memup.agents.table import AGENTS
from memup.core.errors import MemupError, require, unknown_name
from memup.core.options import Option
from memup.core.registry import Entry, find
from memup.envs.table import check_env_id
from memup.memories.table import MEMORIES
from memup.method.orders.table import ORDERS
from memup.method.selectors.table import SELECTORS
from memup.method.targets.table import TARGETS
from memup.tasks.table import check_task_id

DETECTORS: dict[str, Entry] = {
    "entropy": Entry(
        "memup.method.detectors.local:LocalDetector",
        "entropy, in nats, of the outcome given the step alone",
        paper="Sorokin et al. 2022, section 3",
    ),
    "quantile": Entry(
        "memup.method.detectors.local:LocalDetector",
        "spread of 200 quantiles of the outcome given the step alone",
        paper="Dabney et al. 2018; the authors' first detector",
    ),
    "surprise": Entry(
        "memup.method.detectors.unlearned:surprise",
        "loss of a slow copy of memory and predictor",
        paper="the authors' released code",
    ),
    "oracle": Entry(
        "memup.method.detectors.unlearned:oracle", "told by the data: for tests, not for use"
    ),
}
TRAININGS = ("two-phase", "joint", "end-to-end", "supervised")

METHOD: dict[str, Option] = {
    f"method.{name}": option
    for table in (SELECTORS, ORDERS, TARGETS)
    for entry in table.values()
    for name, option in entry.options.items()
}
GENERAL: dict[str, Option] = {
    "env": Option("", "environment: an id of `memup list envs`"),
    "task": Option("", "supervised task, instead of an environment: an id of `memup list tasks`"),
    "dataset": Option("", "folder of an episode store, instead of an environment"),
    "seed": Option(0, "random seed", low=0, high=2**63 - 1),
    "training": Option("two-phase", "which phases there are", choices=TRAININGS),
    "memory": Option("lstm", "a name of `memup list memories`"),
    "agent": Option("ppo", "a name of `memup list agents`"),
    "method.detector": Option("entropy", "a name of `memup list detectors`"),
    "method.selector": Option("top-k", "names of `memup list selectors`, joined by +"),
    "method.order": Option("auto", "a name of `memup list orders`"),
    "method.target": Option("reward", "what is predicted", choices=tuple(TARGETS)),
    "method.likelihood": Option(
        "auto", "family of the outcomes", choices=("auto", "categorical", "normal")
    ),
    "method.query_length": Option(
        1, "steps that a question shows, the asked one the last of them", low=1, high=1000
    ),
    **METHOD,
    "method.window": Option(20, "r, steps that the gradient passes back", low=1),
    "method.targets": Option(1, "K, targets of a query", low=1),
    "method.query_stride": Option(1, "a query every so many steps of a window", low=1),
    "method.batch_size": Option(64, "B, episodes that are walked side by side", low=1),
    "method.updates": Option(20_000, "updates of memory and predictor at most", low=1),
    "method.patience": Option(
        10, "stop after so many checks without improvement; 0 makes all updates", low=0
    ),
    "method.updates_per_call": Option(50, "updates in one compiled call", low=1),
    "method.learning_rate": Option(1e-3, "of Adam", low=0.0, high=1.0),
    "method.final_lr_fraction": Option(
        1.0, "share of it that is left at the end; it falls in the second half", low=0.0, high=1.0
    ),
    "method.clip_norm": Option(1.0, "largest norm of the gradient", low=0.0),
    "method.ema": Option(0.995, "decay of the slow copy, an update", low=0.0, high=1.0),
    "method.encoder": Option(64, "units that encode an input and a question", low=1),
    "method.dropout": Option(
        0.0,
        "share of the encoded input that is dropped in training, where data are few",
        low=0.0,
        high=0.99,
    ),
    "method.state_reset_prob": Option(
        0.0,
        "share of the windows that begin, in training, with a memory that has forgotten",
        low=0.0,
        high=0.99,
    ),
    "method.clock": Option(
        0, "numbers of a code of the time that the memory reads beside its input, even", low=0
    ),
    "method.events": Option(
        0.0, "the memory reads only steps rarer than so many deviations; 0: all", low=0.0
    ),
    "method.width": Option(128, "units of the predictor's two hidden layers", low=1),
    "detect.updates": Option(2000, "updates of the detector at most", low=1),
    "detect.batch": Option(2048, "steps in one of them", low=1),
    "detect.learning_rate": Option(1e-3, "of Adam", low=0.0, high=1.0),
    "collect.episodes": Option(2000, "episodes of random play, or of a task, to store", low=2),
    "collect.environments": Option(256, "copies of the environment to collect with", low=1),
    "joint.limit": Option(2000, "episodes kept in joint training", low=2),
    "joint.updates": Option(100, "memory updates after each round of episodes", low=1),
    "joint.polyak": Option(0.9, "decay of the policy's slow copy of the memory", low=0.0, high=1.0),
    "evaluate.episodes": Option(1000, "fresh episodes of the final evaluation", low=1),
}


TABLES = {"memory": MEMORIES, "agent": AGENTS}


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
        """Return the fields of the named memory or agent: {"size": 64, ...}."""
        return {n: self[f"{prefix}.{n}"] for n in TABLES[prefix][self[prefix]].options}

    def config(self, prefix: str) -> Any:
        """Return the options of the named memory or agent as its dataclass."""
        return TABLES[prefix][self[prefix]].config(**self.options(prefix))

    def replace(self, given: Mapping[str, Any]) -> "RunSpec":
        """Return a spec in which some fields are others; checked as `make_spec` checks."""
        return make_spec({**carried(self, given), **given})


def chosen(given: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of memory and agent; an agent may have a default memory of its own."""
    agent = str(given.get("agent", GENERAL["agent"].default))
    own = find(AGENTS, "agent", agent).fields
    return str(given.get("memory", own.get("memory", GENERAL["memory"].default))), agent


def carried(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `base` that still hold when `given` may name another memory or agent.

    Another one has other fields: those of the base's own one are left out; and a value that was
    meant for it and is none of the other one's (a time scale of 0, say) gives way to the default.
    """
    before, after = chosen(base), chosen({**base, **given})
    options = all_options(*after)
    kinds = zip(("memory.", "agent."), before, after, strict=True)
    other = tuple(prefix for prefix, old, new in kinds if old != new)
    return {
        name: value
        for name, value in base.items()
        if name in options and (not name.startswith(other) or options[name].takes(value))
    }


def all_options(memory: str, agent: str) -> dict[str, Option]:
    """Return every field that exists for a memory and an agent, by name."""
    named = {
        "memory": find(MEMORIES, "memory", memory).options,
        "agent": find(AGENTS, "agent", agent).options,
    }
    special = {f"{p}.{n}": option for p, options in named.items() for n, option in options.items()}
    own = {n: replace(GENERAL[n], default=v) for n, v in AGENTS[agent].fields.items()}
    return {**GENERAL, **own, **special}


def make_spec(given: Mapping[str, Any]) -> RunSpec:
    """Resolve fields, given as text or values, and check them together.

    Args:
        given: field name to value; the others take their defaults.

    Raises:
        MemupError: an unknown field or name, with the nearest one; a value out of bounds; or
            fields that do not fit together.
    """
    options = all_options(*chosen(given))
    for name in given:
        if name not in options:
            raise unknown_name("field", name, options)
    spec = {n: option.parse(n, given.get(n, option.default)) for n, option in options.items()}
    _check(spec)
    run = RunSpec(spec)
    for prefix in TABLES:
        run.config(prefix).check()
    return run


def _check(spec: Mapping[str, Any]) -> None:
    find(DETECTORS, "detector", spec["method.detector"])
    find(ORDERS, "order", spec["method.order"])
    for part in spec["method.selector"].split("+"):
        find(SELECTORS, "selector", part)
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
    _check_pieces(
        *(spec[f"method.{name}"] for name in ("window", "segment_length", "segments", "long_rows"))
    )


def _check_pieces(window: int, piece: int, visits: int, old: float) -> None:
    if not piece:
        return
    require(
        window % piece == 0,
        f"method.segment_length={piece}: expected a divisor of method.window={window}",
    )
    # An old life begins with a window.
    require(
        old == 0 or visits * piece % window == 0,
        f"method.segments={visits}: expected a multiple of the {window // piece} pieces that a "
        "window is put together from, as method.long_rows is not 0",
    )
