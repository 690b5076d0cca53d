"""Distributions over the outcomes that detector and predictor foretell: O numbers each.

A number that is NaN is not known: it has no part in the log-probability and in no gradient.
"""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from memup.core.types import Key
from memup.nn.distributions.base import LOG_2PI, AbstractDistribution, constants, flat, shaped

MAX_CLASSES = 16
IMPOSSIBLE = -1e9
LEAST_LOG_STD, FIRST_LOG_STD, MOST_LOG_STD = -4.0, -1.0, 8.0


class Finite(AbstractDistribution):
    """Each number of the outcome is one of few values, independently; a logit for every value.

    Attributes:
        values: the values of each number, ascending, [O][A] (all of one length; a repeated value
            at the end is unused).
    """

    family: ClassVar[str] = "categorical"
    finite: ClassVar[bool] = True
    values: tuple[tuple[float, ...], ...] = eqx.field(static=True)

    @property
    def param_size(self) -> int:
        """A logit for every value of every number."""
        return len(self.values) * len(self.values[0])

    @property
    def encoded_size(self) -> int:
        """A one-hot code for every number."""
        return self.param_size

    def _log_probs(self, params: Float[Array, "... P"]) -> Float[Array, "... O A"]:
        logits = params.reshape(*params.shape[:-1], len(self.values), -1)
        unused = np.diff(self.values, axis=-1, prepend=-np.inf) == 0
        unused = unused.reshape((1,) * (logits.ndim - 2) + unused.shape)
        return jax.nn.log_softmax(jnp.where(unused, IMPOSSIBLE, logits))

    def _values(self, lead: int) -> Float[Array, "... O A"]:
        values = jnp.asarray(self.values, jnp.float32)
        return values.reshape((1,) * lead + values.shape)

    def _codes(self, y: Float[Array, "... O"]) -> Float[Array, "... O A"]:
        """Return one-hot codes of the nearest values."""
        distance = jnp.abs(self._values(y.ndim - 1) - y[..., None])
        return jax.nn.one_hot(jnp.argmin(distance, axis=-1), len(self.values[0]))

    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """Sum over the numbers that are known; an outcome counts as the value nearest to it."""
        known = ~jnp.isnan(y)[..., None]
        chosen = jnp.where(known & (self._codes(y) > 0), self._log_probs(params), 0.0)
        return jnp.sum(chosen, axis=(-2, -1))

    def _look_up(self, index: Array) -> Float[Array, "... O"]:
        codes = jax.nn.one_hot(index, len(self.values[0])) > 0
        return jnp.sum(jnp.where(codes, self._values(index.ndim - 1), 0.0), axis=-1)

    def sample(self, params: Float[Array, "... P"], *, key: Key) -> Float[Array, "... O"]:
        """See AbstractDistribution."""
        return self._look_up(jax.random.categorical(key, self._log_probs(params)))

    def mode(self, params: Float[Array, "... P"]) -> Float[Array, "... O"]:
        """Return the likeliest value of every number."""
        return self._look_up(jnp.argmax(self._log_probs(params), axis=-1))

    def summary(self, params: Float[Array, "... P"]) -> dict[str, Array]:
        """Return the likeliest values, [..., O], and the "probability" of all, [..., O, A]."""
        return {"value": self.mode(params), "probability": jnp.exp(self._log_probs(params))}

    def classes(self) -> np.ndarray:
        """See AbstractDistribution."""
        return np.asarray(self.values)

    def mean(self, params: Float[Array, "... P"]) -> Float[Array, "... O"]:
        """Return the expected value of every number."""
        return jnp.sum(jnp.exp(self._log_probs(params)) * self._values(params.ndim - 1), axis=-1)

    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        return jnp.sum(self.potentials(params), axis=-1)

    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the entropy."""
        return self.entropy(params)

    def potentials(self, params: Float[Array, "... P"]) -> Float[Array, "... O"]:
        """Return the entropy of every number."""
        log_probs = self._log_probs(params)
        return -jnp.sum(jnp.exp(log_probs) * log_probs, axis=-1)

    def encode(self, y: PyTree) -> Float[Array, "... E"]:
        """Return the one-hot codes of the numbers, end to end."""
        codes = self._codes(y)
        return codes.reshape(*codes.shape[:-2], -1)


class Normal(AbstractDistribution):
    """Real numbers of diagonal variance; a mean and a log standard deviation for each.

    Attributes:
        shift: mean of each number in the data, [O].
        scale: standard deviation of each number in the data, [O].
        shape: of y, O elements in C order; None: [O].
    """

    family: ClassVar[str] = "normal"
    shift: tuple[float, ...] = eqx.field(static=True)
    scale: tuple[float, ...] = eqx.field(static=True)
    shape: tuple[int, ...] | None = eqx.field(static=True, default=None)

    @property
    def param_size(self) -> int:
        """A mean and a log standard deviation each."""
        return 2 * len(self.shift)

    @property
    def encoded_size(self) -> int:
        """A float for every number."""
        return len(self.shift)

    @property
    def _event(self) -> tuple[int, ...]:
        return (len(self.shift),) if self.shape is None else self.shape

    def _split(self, params: Float[Array, "... P"]) -> tuple[Array, Array]:
        """Return means and log standard deviations, both in units of `scale`.

        Not below e^-4: a target that is exact at last does not send the density, and with it the
        gradient, to infinity. Up to e^8: where one step of T is paid, its outcome deviates by
        sqrt(T) of the data's own spread.
        """
        mean, raw = jnp.split(params, 2, axis=-1)
        up, down = MOST_LOG_STD - FIRST_LOG_STD, FIRST_LOG_STD - LEAST_LOG_STD
        soft = jnp.where(raw > 0, up * jnp.tanh(raw / up), down * jnp.tanh(raw / down))
        return mean, FIRST_LOG_STD + soft

    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """Sum over the numbers that are known, in units of the data."""
        mean, log_std = self._split(params)
        y = self.encode(y)
        known = ~jnp.isnan(y)
        z = (jnp.where(known, y, 0.0) - mean) * jnp.exp(-log_std)
        nats = 0.5 * z**2 + log_std + self._constants(log_std)
        return -jnp.sum(jnp.where(known, nats, 0.0), axis=-1)

    def _constants(self, like: Array) -> Float[Array, "... O"]:
        """Return log(scale) + log(2 pi) / 2 of every number."""
        return constants(tuple(math.log(s) + 0.5 * LOG_2PI for s in self.scale), like)

    def _in_units(self, y: Float[Array, "... O"]) -> Array:
        return shaped(y * constants(self.scale, y) + constants(self.shift, y), self._event)

    def sample(self, params: Float[Array, "... P"], *, key: Key) -> Array:
        """See AbstractDistribution."""
        mean, log_std = self._split(params)
        return self._in_units(mean + jnp.exp(log_std) * jax.random.normal(key, mean.shape))

    def mode(self, params: Float[Array, "... P"]) -> Array:
        """Return the mean."""
        return self._in_units(self._split(params)[0])

    def summary(self, params: Float[Array, "... P"]) -> dict[str, Array]:
        """Return mean and standard deviation, "std", of every number, in units of the data."""
        log_std = self._split(params)[1]
        return {
            "value": self.mode(params),
            "std": jnp.exp(log_std) * constants(self.scale, log_std),
        }

    def mean(self, params: Float[Array, "... P"]) -> Array:
        """Return the mean, which is the mode too."""
        return self.mode(params)

    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the differential entropy in units of the data: log(std sqrt(2 pi e)) each."""
        log_std = self._split(params)[1]
        return jnp.sum(log_std + self._constants(log_std) + 0.5, axis=-1)

    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the log standard deviations above their least."""
        return jnp.sum(self.potentials(params), axis=-1)

    def potentials(self, params: Float[Array, "... P"]) -> Float[Array, "... O"]:
        """Return the log standard deviation of every number above its least."""
        return self._split(params)[1] - LEAST_LOG_STD

    def encode(self, y: PyTree) -> Float[Array, "... E"]:
        """Return y in units of the data's own spread."""
        y = flat(y, self._event).astype(jnp.float32)
        return (y - constants(self.shift, y)) / constants(self.scale, y)
