"""What can be predicted. A target is its class and one line here; this file needs no jax."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memup.core.errors import require
from memup.core.options import Config, option
from memup.core.registry import Entry

_HERE = "memup.method.targets."


@dataclass(frozen=True)
class OutcomeConfig(Config):
    """What every target has whose values may be few."""

    family: str = option(
        "auto",
        "distribution family of the outcomes; auto: whichever suits the stored ones",
        choices=("auto", "categorical", "normal"),
    )


@dataclass(frozen=True)
class ReturnConfig(OutcomeConfig):
    """Options of the target `return`."""

    gamma: float = option(0.0, "discount of the rewards that are summed", low=0.0, high=1.0)


@dataclass(frozen=True)
class QValueConfig(Config):
    """The target `q-value` has no options: its outcomes are real numbers."""

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        require(
            run["training"] == "joint",
            f"training={run['training']!r}: target 'q-value' needs an agent that acts while "
            "episodes are stored; expected 'joint'",
        )


TARGETS: dict[str, Entry] = {
    "reward": Entry(
        f"{_HERE}reward:Reward", "the reward that the action of a step brings", OutcomeConfig
    ),
    "return": Entry(
        f"{_HERE}return_:Return",
        "the discounted sum of the rewards after a step",
        ReturnConfig,
    ),
    "next-observation": Entry(
        f"{_HERE}next_observation:NextObservation",
        "the next observation, as numbers",
        OutcomeConfig,
    ),
    "q-value": Entry(
        f"{_HERE}q_value:QValue",
        "the value that the agent expected of what it did (joint only)",
        QValueConfig,
    ),
    "label": Entry(f"{_HERE}label:Label", "the label stored beside a step", OutcomeConfig),
}
