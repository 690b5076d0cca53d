"""A real outcome by its quantiles (Dabney et al. 2018, arXiv 1710.10044)."""

import math
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from memup.core.types import Key
from memup.nn.distributions.base import LOG_2PI, AbstractDistribution

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
NARROWEST = 1e-3


class Quantile(AbstractDistribution):
    """N quantiles of one real outcome; trained by the quantile-Huber loss (eq. 10).

    Its density is a mixture of normals, one on every quantile, as wide as Silverman's rule says:
    1.06 std N^(-1/5), and at least a thousandth of `scale`.

    Attributes:
        shift: mean of the outcome in the data.
        scale: standard deviation of the outcome in the data.
        count: N quantiles.
        kappa: where the loss turns from square to linear, in units of `scale`.
    """

    family: ClassVar[str] = "quantile"
    shift: float = eqx.field(static=True)
    scale: float = eqx.field(static=True)
    count: int = eqx.field(static=True, default=200)
    kappa: float = eqx.field(static=True, default=1.0)

    @property
    def param_size(self) -> int:
        """A number for every quantile."""
        return self.count

    @property
    def encoded_size(self) -> int:
        """One float."""
        return 1

    def loss(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """Return the quantile-Huber loss, summed over quantiles; it is not in nats."""
        levels = (np.arange(self.count) + 0.5) / self.count
        levels = jnp.asarray(levels, jnp.float32).reshape((1,) * (params.ndim - 1) + (-1,))
        delta = self.encode(y) - params
        small = jnp.abs(delta) <= self.kappa
        huber = jnp.where(small, delta**2 / 2, self.kappa * (jnp.abs(delta) - self.kappa / 2))
        return jnp.sum(jnp.abs(levels - (delta < 0)) * huber, axis=-1) / self.kappa

    def _width(self, params: Float[Array, "... P"]) -> Float[Array, "... 1"]:
        spread = jnp.std(params, axis=-1, keepdims=True)
        return jnp.maximum(1.06 * spread * self.count**-0.2, NARROWEST)

    def _log_density(
        self, params: Float[Array, "... P"], y: Float[Array, "... M"]
    ) -> Float[Array, "... M"]:
        width = self._width(params)
        z = (y[..., :, None] - params[..., None, :]) / width[..., None]
        log_p = jax.nn.logsumexp(-0.5 * z**2, axis=-1) - jnp.log(width)
        return log_p - math.log(self.count) - 0.5 * LOG_2PI - math.log(self.scale)

    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        return self._log_density(params, self.encode(y))[..., 0]

    def sample(self, params: Float[Array, "... P"], *, key: Key) -> Float[Array, "... 1"]:
        """See AbstractDistribution."""
        keys = jax.random.split(key)
        place = jax.random.randint(keys[0], (*params.shape[:-1], 1), 0, self.count)
        middle = jnp.take_along_axis(params, place, axis=-1)
        noise = jax.random.normal(keys[1], middle.shape)
        return (middle + self._width(params) * noise) * self.scale + self.shift

    def mode(self, params: Float[Array, "... P"]) -> Float[Array, "... 1"]:
        """Return the mean of the quantiles."""
        return jnp.mean(params, axis=-1, keepdims=True) * self.scale + self.shift

    def summary(self, params: Float[Array, "... P"]) -> dict[str, Array]:
        """Return their mean, [..., 1], and the "quantiles", [..., 1, N], in units of the data."""
        sorted_ = jnp.sort(params, axis=-1)[..., None, :]
        return {"value": self.mode(params), "quantiles": sorted_ * self.scale + self.shift}

    def mean(self, params: Float[Array, "... P"]) -> Float[Array, "... 1"]:
        """Return the mean of the quantiles."""
        return self.mode(params)

    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the entropy of the mixture, by quadrature of 5 points on each of its normals."""
        width = self._width(params)
        total = jnp.zeros(params.shape[:-1])
        for z, w in zip(NODES.tolist(), WEIGHTS.tolist(), strict=True):
            total -= w * jnp.mean(self._log_density(params, params + z * width), axis=-1)
        return total

    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the standard deviation of the quantiles, in units of the data."""
        return jnp.std(params, axis=-1) * self.scale

    def encode(self, y: PyTree) -> Float[Array, "... 1"]:
        """Return y in units of the data's own spread."""
        return (y - self.shift) / self.scale
