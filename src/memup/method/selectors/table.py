"""How targets can be chosen. A selector is its class and one line here; this file needs no jax."""

from dataclasses import dataclass

from memup.core.options import Config, option
from memup.core.registry import Entry

_HERE = "memup.method.selectors."


@dataclass(frozen=True)
class TemperatureConfig(Config):
    """Options of the selector `temperature`."""

    temperature: float = option(
        0.25, "temperature at which steps are sampled by uncertainty", low=1e-6
    )


SELECTORS: dict[str, Entry] = {
    "top-k": Entry(f"{_HERE}top_k:TopK", "the K most uncertain steps from now on"),
    "temperature": Entry(
        f"{_HERE}temperature:Temperature",
        "K steps sampled by uncertainty",
        TemperatureConfig,
    ),
    "information-gain": Entry(
        f"{_HERE}information_gain:InformationGain",
        "K uncertain steps at the distances where memory explains them; others are tried",
    ),
    "uniform": Entry(f"{_HERE}uniform:Uniform", "K steps from now on, at random (a control)"),
    "current": Entry(f"{_HERE}current:Current", "the present step: truncated BPTT"),
}
