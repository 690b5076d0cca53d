"""The fields that exist whatever is chosen, and the parts that add their own. Never imports jax."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memup.agents.table import AGENTS
from memup.core.errors import require
from memup.core.options import Config, Option, option
from memup.core.registry import Entry
from memup.memories.table import MEMORIES
from memup.method.detectors.table import DETECTORS
from memup.method.orders.table import ORDERS
from memup.method.selectors.table import SELECTORS
from memup.method.targets.table import TARGETS


@dataclass(frozen=True)
class JointConfig(Config):
    """Options of joint training (phases/joint.py)."""

    limit: int = option(2000, "episodes kept in joint training", low=2)
    updates: int = option(100, "memory updates after each round of episodes", low=1)
    polyak: float = option(0.9, "decay of the policy's slow copy of the memory", low=0.0, high=1.0)


@dataclass(frozen=True)
class EndToEndConfig(Config):
    """Training end to end has no options, and leaves some of the method's unread."""

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        # It has no store, which says what is rare.
        require(
            not run["method.events"],
            f"method.events={run['method.events']:g}: expected stored episodes, to know what is "
            "rare; training='end-to-end' has none",
        )
        for name in ("encoder.dropout", "method.state_reset_prob"):
            require(
                not run[name],
                f"{name}={run[name]:g}: an agent that trains its own memory loses nothing; "
                "expected 0 for training='end-to-end'",
            )


TRAININGS: dict[str, Entry] = {
    "two-phase": Entry("memup.build.job:Builder", "first the memory, then a policy on it"),
    "joint": Entry("memup.build.job:Builder", "memory and policy in turn", JointConfig),
    "end-to-end": Entry(
        "memup.build.job:Builder", "an agent that trains its own memory", EndToEndConfig
    ),
    "supervised": Entry("memup.build.job:Builder", "a memory on stored or generated sequences"),
}
GENERAL: dict[str, Option] = {
    "env": Option("", "environment: an id of `memup list envs`"),
    "task": Option("", "supervised task, instead of an environment: an id of `memup list tasks`"),
    "dataset": Option("", "folder of an episode store, instead of an environment"),
    "seed": Option(0, "random seed of the run", low=0, high=2**63 - 1),
    "training": Option("two-phase", "phases that the run consists of", choices=tuple(TRAININGS)),
    "memory": Option("lstm", "a name of `memup list memories`"),
    "agent": Option("ppo", "a name of `memup list agents`"),
    "method.detector": Option("entropy", "a name of `memup list detectors`"),
    "method.selector": Option("top-k", "names of `memup list selectors`, joined by +"),
    "method.order": Option("auto", "a name of `memup list orders`"),
    "method.target": Option("reward", "outcome that is predicted", choices=tuple(TARGETS)),
    "method.query_length": Option(
        1, "steps that a question shows, the asked one the last of them", low=1, high=1000
    ),
    "method.window": Option(20, "r, steps that the gradient passes back", low=1),
    "method.targets": Option(1, "K, targets of a query", low=1),
    "method.query_stride": Option(1, "a query every so many steps of a window", low=1),
    "method.batch_size": Option(64, "B, episodes that are walked side by side", low=1),
    "method.updates": Option(20_000, "updates of memory and predictor at most", low=1),
    "method.patience": Option(
        10, "stop after so many checks without improvement; 0 makes all updates", low=0
    ),
    "method.updates_per_call": Option(50, "updates in one compiled call", low=1),
    "method.learning_rate": Option(
        1e-3, "Adam learning rate of memory and predictor", low=0.0, high=1.0
    ),
    "method.final_lr_fraction": Option(
        1.0,
        "share of the learning rate at the end; it falls in the second half",
        low=0.0,
        high=1.0,
    ),
    "encoder.size": Option(64, "units that encode an input and a question", low=1),
    "encoder.dropout": Option(
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
    "collect.episodes": Option(2000, "episodes of random play, or of a task, to store", low=2),
    "collect.environments": Option(256, "copies of the environment to collect with", low=1),
    "evaluate.episodes": Option(1000, "fresh episodes of the final evaluation", low=1),
}


@dataclass(frozen=True)
class Part:
    """A field that names something with fields of its own.

    Attributes:
        kind: what it is, for errors.
        prefix: of its fields: `memory` has `memory.size`.
        table: what it may name; several names may be joined by "+".
    """

    kind: str
    prefix: str
    table: Mapping[str, Entry]


PARTS: dict[str, Part] = {
    "training": Part("training", "joint", TRAININGS),
    "agent": Part("agent", "agent", AGENTS),
    "memory": Part("memory", "memory", MEMORIES),
    "method.detector": Part("detector", "method.detector", DETECTORS),
    "method.selector": Part("selector", "method.selector", SELECTORS),
    "method.order": Part("order", "method.order", ORDERS),
    "method.target": Part("target", "method.target", TARGETS),
}
