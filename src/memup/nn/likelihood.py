"""Families of outcomes. One family serves detector and predictor, so both speak in nats."""

import abc
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

LOG_2PI = math.log(2 * math.pi)
MAX_CLASSES = 16


class AbstractLikelihood(eqx.Module):
    """A distribution over outcomes y [O], given parameters that a network makes.

    Attributes:
        outcomes: O, numbers in one outcome.
        size: P, numbers that the network must give.
    """

    outcomes: eqx.AbstractVar[int]
    size: eqx.AbstractVar[int]

    @abc.abstractmethod
    def nll(self, params: Float[Array, " P"], y: Float[Array, " O"]) -> Float[Array, ""]:
        """Return -log q(y), in nats."""

    @abc.abstractmethod
    def spread(self, params: Float[Array, " P"]) -> Float[Array, ""]:
        """Return how uncertain the outcome is."""

    @abc.abstractmethod
    def mode(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the likeliest outcome."""

    @abc.abstractmethod
    def mean(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the expected outcome."""

    @abc.abstractmethod
    def describe(self) -> dict[str, Any]:
        """Return what `from_description` needs to make this family again."""


class Categorical(AbstractLikelihood):
    """Each number of the outcome is one of few values, independently; spread is entropy in nats.

    Attributes:
        values: the values of each number, [O][A] (all of one length, repeated values unused).
    """

    values: tuple[tuple[float, ...], ...] = eqx.field(static=True)

    @property
    def outcomes(self) -> int:
        """Numbers in one outcome."""
        return len(self.values)

    @property
    def size(self) -> int:
        """A logit for every value of every number."""
        return len(self.values) * len(self.values[0])

    def log_probs(self, params: Float[Array, " P"]) -> Float[Array, "O A"]:
        """Return the log-probability of every value."""
        return jax.nn.log_softmax(params.reshape(self.outcomes, -1))

    def nll(self, params: Float[Array, " P"], y: Float[Array, " O"]) -> Float[Array, ""]:
        """Sum over the numbers; an outcome counts as the value nearest to it."""
        nearest = jnp.argmin(jnp.abs(jnp.asarray(self.values) - y[:, None]), axis=-1)
        chosen = jnp.take_along_axis(self.log_probs(params), nearest[:, None], axis=-1)
        return -jnp.sum(chosen)

    def spread(self, params: Float[Array, " P"]) -> Float[Array, ""]:
        """Return the entropy, in nats."""
        log_probs = self.log_probs(params)
        return -jnp.sum(jnp.exp(log_probs) * log_probs)

    def mode(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the likeliest value of every number."""
        best = jnp.argmax(self.log_probs(params), axis=-1)
        return jnp.take_along_axis(jnp.asarray(self.values), best[:, None], axis=-1)[:, 0]

    def mean(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the expected value of every number."""
        return jnp.sum(jnp.exp(self.log_probs(params)) * jnp.asarray(self.values), axis=-1)

    def describe(self) -> dict[str, Any]:
        """See AbstractLikelihood."""
        return {"family": "categorical", "values": [list(v) for v in self.values]}


class Normal(AbstractLikelihood):
    """Real outcomes with diagonal variance; spread is the differential entropy in nats.

    Attributes:
        shift: mean of each number in the data, [O].
        scale: standard deviation of each number in the data, [O].
    """

    shift: tuple[float, ...] = eqx.field(static=True)
    scale: tuple[float, ...] = eqx.field(static=True)

    @property
    def outcomes(self) -> int:
        """Numbers in one outcome."""
        return len(self.shift)

    @property
    def size(self) -> int:
        """A mean and a log standard deviation each."""
        return 2 * len(self.shift)

    def _split(self, params: Float[Array, " P"]) -> tuple[Float[Array, " O"], Float[Array, " O"]]:
        mean, raw = jnp.split(params, 2)
        # Between e^-4 and e^2 of the data's own spread: a target that is exact at last does
        # not send the density, and with it the gradient, to infinity.
        return mean, 3 * jnp.tanh(raw / 3) - 1

    def nll(self, params: Float[Array, " P"], y: Float[Array, " O"]) -> Float[Array, ""]:
        """Sum over the numbers, in units of the data."""
        mean, log_std = self._split(params)
        scale = jnp.asarray(self.scale)
        z = ((y - jnp.asarray(self.shift)) / scale - mean) * jnp.exp(-log_std)
        return jnp.sum(0.5 * z**2 + log_std + jnp.log(scale) + 0.5 * LOG_2PI)

    def spread(self, params: Float[Array, " P"]) -> Float[Array, ""]:
        """Return the entropy, shifted by a constant so that it is never negative."""
        _, log_std = self._split(params)
        return jnp.sum(log_std + 4)

    def mode(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the mean."""
        return self._split(params)[0] * jnp.asarray(self.scale) + jnp.asarray(self.shift)

    def mean(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the mean, which is the mode too."""
        return self.mode(params)

    def describe(self) -> dict[str, Any]:
        """See AbstractLikelihood."""
        return {"family": "normal", "shift": list(self.shift), "scale": list(self.scale)}


class Quantile(AbstractLikelihood):
    """Quantiles of one real outcome by the quantile-Huber loss (Dabney et al. 2018, eq. 10).

    Its spread is the standard deviation of the quantiles, in units of the data, not in nats.

    Attributes:
        shift: mean of the outcome in the data.
        scale: standard deviation of the outcome in the data.
        count: N quantiles.
        kappa: where the loss turns from square to linear, in units of `scale`.
    """

    shift: float = eqx.field(static=True)
    scale: float = eqx.field(static=True)
    count: int = eqx.field(static=True, default=200)
    kappa: float = eqx.field(static=True, default=1.0)

    @property
    def outcomes(self) -> int:
        """One."""
        return 1

    @property
    def size(self) -> int:
        """A number for every quantile."""
        return self.count

    def nll(self, params: Float[Array, " P"], y: Float[Array, " O"]) -> Float[Array, ""]:
        """Return the quantile-Huber loss, summed over quantiles."""
        levels = (jnp.arange(self.count) + 0.5) / self.count
        delta = (y - self.shift) / self.scale - params
        small = jnp.abs(delta) <= self.kappa
        huber = jnp.where(small, delta**2 / 2, self.kappa * (jnp.abs(delta) - self.kappa / 2))
        return jnp.sum(jnp.abs(levels - (delta < 0)) * huber) / self.kappa

    def spread(self, params: Float[Array, " P"]) -> Float[Array, ""]:
        """Return the standard deviation of the quantiles."""
        return jnp.std(params) * self.scale

    def mode(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the mean of the quantiles."""
        return jnp.mean(params, keepdims=True) * self.scale + self.shift

    def mean(self, params: Float[Array, " P"]) -> Float[Array, " O"]:
        """Return the mean of the quantiles."""
        return self.mode(params)

    def describe(self) -> dict[str, Any]:
        """See AbstractLikelihood."""
        return {"family": "quantile", "shift": self.shift, "scale": self.scale, "count": self.count}


def from_description(description: dict[str, Any]) -> AbstractLikelihood:
    """Make a family from what its `describe` returned."""
    family = description["family"]
    if family == "categorical":
        return Categorical(tuple(tuple(v) for v in description["values"]))
    if family == "normal":
        return Normal(tuple(description["shift"]), tuple(description["scale"]))
    return Quantile(description["shift"], description["scale"], description["count"])


def suit(data: Float[np.ndarray, "N O"], family: str = "auto") -> AbstractLikelihood:
    """Choose the family that suits data, and its constants.

    Args:
        data: outcomes.
        family: "auto" (categorical where every number takes at most 16 values, else normal),
            "categorical", "normal" or "quantile" (one number only).

    Returns:
        The family.
    """
    mean, std = data.mean(axis=0, dtype=np.float64), data.std(axis=0, dtype=np.float64)
    std = np.where(std > 1e-6, std, 1.0)
    if family == "quantile":
        return Quantile(float(mean[0]), float(std[0]))
    distinct = [np.unique(column) for column in data.T]
    most = max(len(column) for column in distinct)
    if family == "categorical" or (family == "auto" and most <= MAX_CLASSES):
        padded = [np.pad(c, (0, most - len(c)), mode="edge") for c in distinct]
        return Categorical(tuple(tuple(float(v) for v in c) for c in padded))
    return Normal(tuple(float(v) for v in mean), tuple(float(v) for v in std))
