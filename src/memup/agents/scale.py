"""Running mean and deviation of returns: the units that values are learned in."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

DECAY = 0.99


class ReturnScale(NamedTuple):
    """Exponential averages of the returns of rollouts, arrays of one number.

    A head says (value - mean) / std, so that rewards of any size give errors near 1
    (van Hasselt et al. 2016, arXiv 1602.07714, without the correction of the output layer: the
    averages move slowly).

    Attributes:
        mean: sum of weighted means.
        square: sum of weighted mean squares around `centre`.
        weight: sum of the weights; 0 before the first rollout.
        centre: mean of the first rollout; squares around 0 would lose a large offset's digits.
    """

    mean: Float[Array, ""]
    square: Float[Array, ""]
    weight: Float[Array, ""]
    centre: Float[Array, ""]

    @classmethod
    def start(cls) -> "ReturnScale":
        """Nothing was seen: values are in units of rewards."""
        return cls(*(jnp.zeros(()) for _ in range(4)))

    def update(self, ret: Float[Array, "T B"], valid: Bool[Array, "T B"]) -> "ReturnScale":
        """Add a rollout's returns."""
        count = jnp.sum(valid)
        any_ = count > 0
        average = lambda x: jnp.sum(jnp.where(valid, x, 0.0)) / jnp.maximum(count, 1)  # noqa: E731
        centre = jnp.where(any_ & (self.weight == 0), average(ret), self.centre)
        off = ret - centre
        found = ReturnScale(average(off), average(off**2), jnp.ones(()), centre)
        mixed = (DECAY * old + (1 - DECAY) * new for old, new in zip(self[:3], found, strict=False))
        moved = ReturnScale(*mixed, centre)
        return ReturnScale(*(jnp.where(any_, m, s) for m, s in zip(moved, self, strict=True)))

    def moments(self) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Return mean and standard deviation; 0 and 1 before the first rollout."""
        weight = jnp.where(self.weight > 0, self.weight, 1.0)
        off = self.mean / weight
        mean = self.centre + off
        variance = jnp.maximum(self.square / weight - off**2, 0.0)
        # Returns that hardly differ are not blown up to the size of a signal.
        std = jnp.maximum(jnp.sqrt(variance), 1e-6 + 1e-4 * jnp.abs(mean))
        return mean, jnp.where(self.weight > 0, std, 1.0)

    def value(self, said: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return in units of rewards what a head says."""
        mean, std = self.moments()
        return mean + std * said

    def units(self, value: Float[Array, "..."]) -> Float[Array, "..."]:
        """Return what a head must say."""
        mean, std = self.moments()
        return (value - mean) / std
