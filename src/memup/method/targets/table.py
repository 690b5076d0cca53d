"""What can be predicted. A target is its class and one line here; this file needs no jax."""

from dataclasses import dataclass

from memup.core.options import Config, option
from memup.core.registry import Entry

_HERE = "memup.method.targets."


@dataclass(frozen=True)
class ReturnConfig(Config):
    """Options of the target `return`."""

    gamma: float = option(0.0, "discount of the target `return`", low=0.0, high=1.0)


TARGETS: dict[str, Entry] = {
    "reward": Entry(f"{_HERE}reward:Reward", "the reward that the action of a step brings"),
    "return": Entry(
        f"{_HERE}return_:Return",
        "the discounted sum of the rewards after a step",
        ReturnConfig,
    ),
    "next-observation": Entry(
        f"{_HERE}next_observation:NextObservation", "the next observation, as numbers"
    ),
    "q-value": Entry(
        f"{_HERE}q_value:QValue", "the value that the agent expected of what it did (joint only)"
    ),
    "label": Entry(f"{_HERE}label:Label", "the label stored beside a step"),
}
