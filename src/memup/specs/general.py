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

    limit: int = option(2000, "largest number of episodes kept in the store", low=2)
    updates: int = option(100, "updates of the memory after each round of episodes", low=1)
    polyak: float = option(
        0.9, "decay of the moving average of the memory that the policy reads", low=0.0, high=1.0
    )


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
    "env": Option("", "environment to train in: an id of `memup list envs`"),
    "task": Option("", "task to train on instead of an environment: an id of `memup list tasks`"),
    "dataset": Option("", "folder of stored episodes to train on instead of an environment"),
    "seed": Option(0, "seed of every random choice in the run", low=0, high=2**63 - 1),
    "training": Option("two-phase", "how memory and policy are trained", choices=tuple(TRAININGS)),
    "memory": Option("lstm", "memory to train: a name of `memup list memories`"),
    "agent": Option("ppo", "agent to train: a name of `memup list agents`"),
    "method.detector": Option(
        "entropy", "what scores uncertain steps: a name of `memup list detectors`"
    ),
    "method.selector": Option(
        "information-gain",
        "what chooses the steps to predict: names of `memup list selectors`, joined by +",
    ),
    "method.order": Option(
        "auto", "which steps of which episodes are trained on: a name of `memup list orders`"
    ),
    "method.target": Option("reward", "outcome to predict", choices=tuple(TARGETS)),
    "method.query_length": Option(
        1, "steps shown with each query, the last of which is the one to predict", low=1, high=1000
    ),
    "method.window": Option(
        20, "r, steps of a window, through which the gradient is propagated", low=1
    ),
    "method.targets": Option(1, "K, steps to predict for each query", low=1),
    "method.query_stride": Option(1, "steps from one query of a window to the next", low=1),
    "method.batch_size": Option(64, "B, episodes in a batch", low=1),
    "method.updates": Option(20_000, "largest number of updates of memory and predictor", low=1),
    "method.patience": Option(
        10, "checks without improvement before training stops; 0: never stop early", low=0
    ),
    "method.updates_per_call": Option(50, "updates made in one compiled call", low=1),
    "method.learning_rate": Option(
        1e-3, "Adam learning rate of memory and predictor", low=0.0, high=1.0
    ),
    "method.final_lr_fraction": Option(
        1.0,
        "fraction of the learning rate left at the end; it decays in the second half",
        low=0.0,
        high=1.0,
    ),
    "encoder.size": Option(64, "units of the encoders of inputs and queries", low=1),
    "encoder.dropout": Option(
        0.0,
        "dropout probability of the encoded input in training; for small data sets",
        low=0.0,
        high=0.99,
    ),
    "method.state_reset_prob": Option(
        0.0,
        "probability that a training window starts with a reset memory",
        low=0.0,
        high=0.99,
    ),
    "method.clock": Option(
        0, "size of the encoding of time given to the memory, an even number; 0: none", low=0
    ),
    "method.events": Option(
        0.0,
        "rarity, in standard deviations, above which the memory reads a step; 0: read all",
        low=0.0,
    ),
    "method.width": Option(128, "units of each of the predictor's two hidden layers", low=1),
    "detect.updates": Option(2000, "largest number of updates of the detector", low=1),
    "collect.episodes": Option(
        0,
        "episodes of random play, or sequences of a task, to store; 0: 2000, or as many as 1 GB "
        "holds",
        low=0,
    ),
    "collect.environments": Option(
        256, "copies of the environment that collect episodes in parallel", low=1
    ),
    "evaluate.episodes": Option(1000, "new episodes to play in the final evaluation", low=1),
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
