"""Distributions over whole numbers and flags: Discrete, MultiDiscrete, MultiBinary, small Boxes."""

from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from memup.core.types import Key
from memup.nn.distributions.base import AbstractDistribution, flat, shaped


class Categories(AbstractDistribution):
    """Independent categories, the i-th of them low[i] .. low[i] + nvec[i] - 1; a logit for each.

    Attributes:
        nvec: number of values of each element.
        low: smallest value of each element.
        shape: of y; its elements in C order are those of `nvec`.
        dtype: of y.
    """

    family: ClassVar[str] = "categories"
    finite: ClassVar[bool] = True
    nvec: tuple[int, ...] = eqx.field(static=True)
    low: tuple[int, ...] = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True, default=())
    dtype: str = eqx.field(static=True, default="int32")

    @property
    def param_size(self) -> int:
        """A logit for every value of every element."""
        return sum(self.nvec)

    @property
    def encoded_size(self) -> int:
        """A one-hot code for every element."""
        return sum(self.nvec)

    def _log_probs(self, params: Float[Array, "... P"]) -> list[Float[Array, "... n"]]:
        ends = np.cumsum(self.nvec)[:-1].tolist()
        return [jax.nn.log_softmax(part) for part in jnp.split(params, ends, axis=-1)]

    def _index(self, y: Array) -> Array:
        low = np.asarray(self.low, np.int32)
        index = flat(y, self.shape).astype(jnp.int32)
        return index - low.reshape((1,) * (index.ndim - 1) + (-1,))

    def _value(self, index: list[Array]) -> Array:
        whole = [i + low for i, low in zip(index, self.low, strict=True)]
        return shaped(jnp.stack(whole, axis=-1).astype(self.dtype), self.shape)

    def _codes(self, y: Array) -> list[Float[Array, "... n"]]:
        index = self._index(y)
        return [jax.nn.one_hot(index[..., i], n) for i, n in enumerate(self.nvec)]

    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """See AbstractDistribution; by a product, as the gradient of a look-up is a scatter."""
        pairs = zip(self._codes(y), self._log_probs(params), strict=True)
        return sum(jnp.sum(jnp.where(code > 0, p, 0.0), axis=-1) for code, p in pairs)

    def sample(self, params: Float[Array, "... P"], *, key: Key) -> Array:
        """See AbstractDistribution."""
        parts = self._log_probs(params)
        keys = jax.random.split(key, len(parts))
        draws = [jax.random.categorical(k, p) for k, p in zip(keys, parts, strict=True)]
        return self._value(draws)

    def mode(self, params: Float[Array, "... P"]) -> Array:
        """See AbstractDistribution."""
        return self._value([jnp.argmax(p, axis=-1) for p in self._log_probs(params)])

    def mean(self, params: Float[Array, "... P"]) -> Array:
        """Return the likeliest values, as floats: categories have no mean."""
        return self.mode(params).astype(jnp.float32)

    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        return sum(-jnp.sum(jnp.exp(p) * p, axis=-1) for p in self._log_probs(params))

    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the entropy."""
        return self.entropy(params)

    def encode(self, y: PyTree) -> Float[Array, "... E"]:
        """Return the one-hot codes of the elements, end to end."""
        return jnp.concatenate(self._codes(y), axis=-1)


class Bernoullis(AbstractDistribution):
    """n independent flags, 0 or 1; a logit of 1 for each.

    Attributes:
        n: number of flags.
        dtype: of y.
    """

    family: ClassVar[str] = "bernoulli"
    finite: ClassVar[bool] = True
    n: int = eqx.field(static=True)
    dtype: str = eqx.field(static=True, default="int8")

    @property
    def param_size(self) -> int:
        """A logit for every flag."""
        return self.n

    @property
    def encoded_size(self) -> int:
        """A float for every flag."""
        return self.n

    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        return jnp.sum(jax.nn.log_sigmoid(jnp.where(y > 0, params, -params)), axis=-1)

    def sample(self, params: Float[Array, "... P"], *, key: Key) -> Array:
        """See AbstractDistribution."""
        return jax.random.bernoulli(key, jax.nn.sigmoid(params)).astype(self.dtype)

    def mode(self, params: Float[Array, "... P"]) -> Array:
        """See AbstractDistribution."""
        return (params > 0).astype(self.dtype)

    def mean(self, params: Float[Array, "... P"]) -> Array:
        """Return the probability of each flag."""
        return jax.nn.sigmoid(params)

    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        # p softplus(-l) + (1 - p) softplus(l) = softplus(l) - p l
        return jnp.sum(jax.nn.softplus(params) - jax.nn.sigmoid(params) * params, axis=-1)

    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return the entropy."""
        return self.entropy(params)

    def encode(self, y: PyTree) -> Float[Array, "... E"]:
        """Return the flags as floats."""
        return jnp.asarray(y).astype(jnp.float32)
