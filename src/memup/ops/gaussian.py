"""Normal distributions of independent numbers."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

WIDEST = 3.0


class Gaussian(NamedTuple):
    """A diagonal normal distribution over Z numbers.

    Attributes:
        mean: [Z].
        log_std: logarithm of the standard deviations, [Z].
    """

    mean: Float[Array, " Z"]
    log_std: Float[Array, " Z"]


def from_numbers(numbers: Float[Array, " Z2"]) -> Gaussian:
    """Read 2 Z numbers as means and standard deviations, the latter kept between e^-3 and e^3."""
    mean, raw = jnp.split(numbers, 2)
    return Gaussian(mean, WIDEST * jnp.tanh(raw / WIDEST))


def kl_divergence(q: Gaussian, p: Gaussian) -> Float[Array, ""]:
    """Return KL(q || p) in nats: what q says beyond p; Kingma and Welling 2014, appendix B.

    sum of log(std_p / std_q) + (std_q^2 + (mean_q - mean_p)^2) / (2 std_p^2) - 1/2.
    """
    square = jnp.exp(2 * q.log_std) + (q.mean - p.mean) ** 2
    return jnp.sum(p.log_std - q.log_std + 0.5 * square * jnp.exp(-2 * p.log_std) - 0.5)
