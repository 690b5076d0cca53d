"""How steps can be scored. A detector is its class and one line here; this file needs no jax."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memup.core.errors import require
from memup.core.options import Config
from memup.core.registry import Entry

_HERE = "memup.method.detectors."


@dataclass(frozen=True)
class SurpriseConfig(Config):
    """The detector `surprise` has no options."""

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config."""
        require(
            run["training"] != "joint",
            "method.detector='surprise': expected 'entropy' or 'quantile' in joint training",
        )


DETECTORS: dict[str, Entry] = {
    "entropy": Entry(
        f"{_HERE}entropy:Entropy",
        "entropy, in nats, of the outcome given the step alone",
        paper="Sorokin et al. 2022, section 3",
    ),
    "quantile": Entry(
        f"{_HERE}quantile:QuantileSpread",
        "spread of 200 quantiles of the outcome given the step alone",
        paper="Dabney et al. 2018; the authors' first detector",
    ),
    "surprise": Entry(
        f"{_HERE}surprise:Surprise",
        "loss of a slow copy of memory and predictor",
        SurpriseConfig,
        paper="the authors' released code",
    ),
    "oracle": Entry(f"{_HERE}oracle:Oracle", "told by the data: for tests, not for use"),
}
