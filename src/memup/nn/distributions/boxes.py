"""A normal distribution over the real arrays of a Box, squashed so that no sample leaves it."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree

from memup.core.types import Key
from memup.nn.distributions.base import LOG_2PI, AbstractDistribution, constants, flat, shaped

# A squashed mean is kept within this of 0: tanh(4) is 0.9993, and beyond it a policy that wants
# the bound would drive its mean, and the inverse of the squashing, to infinity.
WIDEST_MEAN = 4.0
FIRST_LOG_STD = -0.5
LEAST_LOG_STD, MOST_LOG_STD = -4.0, 1.0
# Nearest to a bound that an element is inverted at; float32 tells 1 from 1 - 6e-8.
EDGE = 1e-6
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


class BoxNormal(AbstractDistribution):
    """u ~ N(mean, std^2), element by element, and y = squash(u).

    Elements with two bounds: y = middle + half * tanh(u). With one: y = low + softplus(u), or
    high - softplus(u). Without: y = u. The log-density has the change of variables in it,
    log q(y) = log N(u) - log |dy/du| (Haarnoja et al. 2018, appendix C). y is inverted, so that
    the log-probability of a stored action is the same number whenever it is computed; elements
    that lie on a bound count as EDGE away from it.

    Attributes:
        shape: of y.
        low: lower bound of each element, in C order.
        high: upper bound of each element.
        dtype: of y.
    """

    family: ClassVar[str] = "box"
    shape: tuple[int, ...] = eqx.field(static=True)
    low: tuple[float, ...] = eqx.field(static=True)
    high: tuple[float, ...] = eqx.field(static=True)
    dtype: str = eqx.field(static=True, default="float32")

    @property
    def param_size(self) -> int:
        """A mean and a log standard deviation for every element."""
        return 2 * len(self.low)

    @property
    def encoded_size(self) -> int:
        """A float for every element."""
        return len(self.low)

    def _normal(self, params: Float[Array, "... P"]) -> tuple[Array, Array]:
        """Return mean and log standard deviation of u; without bounds the mean is free."""
        mean, raw = jnp.split(params, 2, axis=-1)
        near = WIDEST_MEAN * jnp.tanh(mean / WIDEST_MEAN)
        mean = jnp.where(self._mask("none", mean), mean, near)
        up, down = MOST_LOG_STD - FIRST_LOG_STD, FIRST_LOG_STD - LEAST_LOG_STD
        return mean, FIRST_LOG_STD + jnp.where(
            raw > 0, up * jnp.tanh(raw / up), down * jnp.tanh(raw / down)
        )

    def _mask(self, kind: str, like: Array) -> Bool[Array, "... O"]:
        """Return which elements have so many bounds: "both", "low", "high" or "none"."""
        low, high = np.isfinite(self.low), np.isfinite(self.high)
        found = {"both": low & high, "low": low & ~high, "high": ~low & high, "none": ~low & ~high}
        return jnp.asarray(found[kind]).reshape((1,) * (like.ndim - 1) + (-1,))

    def _bounds(self, like: Array) -> tuple[Array, Array, Array, Array]:
        """Return low, high, middle and half width, harmless numbers where there is no bound."""
        low = np.where(np.isfinite(self.low), self.low, 0.0)
        high = np.where(np.isfinite(self.high), self.high, low + 2.0)
        low = np.where(np.isfinite(self.low), low, high - 2.0)
        parts = (low, high, (low + high) / 2, (high - low) / 2)
        return tuple(constants(tuple(part.tolist()), like) for part in parts)  # type: ignore

    def _squash(self, u: Float[Array, "... O"]) -> Float[Array, "... O"]:
        low, high, middle, half = self._bounds(u)
        y = jnp.where(self._mask("both", u), middle + half * jnp.tanh(u), u)
        y = jnp.where(self._mask("low", u), low + jax.nn.softplus(u), y)
        return jnp.where(self._mask("high", u), high - jax.nn.softplus(u), y)

    def _invert(self, y: Float[Array, "... O"]) -> Float[Array, "... O"]:
        low, high, middle, half = self._bounds(y)
        both = jnp.arctanh(jnp.clip((y - middle) / half, EDGE - 1, 1 - EDGE))
        u = jnp.where(self._mask("both", y), both, y)
        away = jnp.where(self._mask("low", y), y - low, high - y)
        away = jnp.maximum(away, EDGE)
        one = away + jnp.log(-jnp.expm1(-away))
        return jnp.where(self._mask("low", y) | self._mask("high", y), one, u)

    def _log_slope(self, u: Float[Array, "... O"]) -> Float[Array, "... O"]:
        """Return log |dy/du|."""
        half = self._bounds(u)[3]
        # log(1 - tanh(u)^2), in a form that is exact where tanh rounds to 1.
        both = jnp.log(half) + 2 * (math.log(2) - u - jax.nn.softplus(-2 * u))
        slope = jnp.where(self._mask("both", u), both, 0.0)
        one = self._mask("low", u) | self._mask("high", u)
        return jnp.where(one, jax.nn.log_sigmoid(u), slope)

    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        mean, log_std = self._normal(params)
        u = self._invert(flat(y, self.shape).astype(jnp.float32))
        z = (u - mean) * jnp.exp(-log_std)
        return -jnp.sum(0.5 * z**2 + log_std + 0.5 * LOG_2PI + self._log_slope(u), axis=-1)

    def sample(self, params: Float[Array, "... P"], *, key: Key) -> Array:
        """See AbstractDistribution."""
        mean, log_std = self._normal(params)
        u = mean + jnp.exp(log_std) * jax.random.normal(key, mean.shape)
        return self._value(self._squash(u))

    def _value(self, y: Float[Array, "... O"]) -> Array:
        # Rounding may carry a squashed number past its bound by one bit.
        y = jnp.clip(y, constants(self.low, y), constants(self.high, y))
        return shaped(y, self.shape).astype(self.dtype)

    def mode(self, params: Float[Array, "... P"]) -> Array:
        """Return the median, squash(mean)."""
        return self._value(self._squash(self._normal(params)[0]))

    def _expect(self, function, params: Float[Array, "... P"]) -> Float[Array, "... O"]:
        """Return E[function(u)] by Gauss-Hermite quadrature."""
        mean, log_std = self._normal(params)
        std = jnp.exp(log_std)
        pairs = zip(NODES.tolist(), WEIGHTS.tolist(), strict=True)
        return sum(w * function(mean + std * z) for z, w in pairs)

    def mean(self, params: Float[Array, "... P"]) -> Array:
        """Return E[y], by quadrature of 16 points."""
        return shaped(self._expect(self._squash, params), self.shape)

    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the differential entropy of y; what squashing adds by quadrature of 16 points."""
        log_std = self._normal(params)[1]
        of_u = log_std + 0.5 * (LOG_2PI + 1)
        return jnp.sum(of_u + self._expect(self._log_slope, params), axis=-1)

    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the log standard deviations of u above their least."""
        return jnp.sum(self._normal(params)[1] - LEAST_LOG_STD, axis=-1)

    def encode(self, y: PyTree) -> Float[Array, "... E"]:
        """Return y, elements with two bounds scaled to -1 .. 1."""
        y = flat(y, self.shape).astype(jnp.float32)
        _, _, middle, half = self._bounds(y)
        return jnp.where(self._mask("both", y), (y - middle) / half, y)
