"""Independent parts of a Dict or Tuple space, each with a distribution of its own."""

from collections.abc import Iterator
from typing import Any, ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from memup.core.types import Key
from memup.nn.distributions.base import AbstractDistribution


class Joint(AbstractDistribution):
    """q(y) is the product over the parts of y.

    Attributes:
        parts: the distributions, in the order of `names`.
        names: keys of the parts, in order; None: y is a tuple.
    """

    family: ClassVar[str] = "joint"
    parts: tuple[AbstractDistribution, ...] = eqx.field(static=True)
    names: tuple[str, ...] | None = eqx.field(static=True, default=None)

    @property
    def param_size(self) -> int:
        """The parameters of all parts, end to end."""
        return sum(part.param_size for part in self.parts)

    @property
    def encoded_size(self) -> int:
        """The codes of all parts, end to end."""
        return sum(part.encoded_size for part in self.parts)

    def _each(self, params: Float[Array, "... P"]) -> Iterator[tuple[AbstractDistribution, Array]]:
        ends = np.cumsum([part.param_size for part in self.parts])[:-1].tolist()
        return zip(self.parts, jnp.split(params, ends, axis=-1), strict=True)

    def _split(self, y: PyTree) -> list[PyTree]:
        return list(y) if self.names is None else [y[name] for name in self.names]

    def _nest(self, values: list[Any]) -> PyTree:
        if self.names is None:
            return tuple(values)
        return dict(zip(self.names, values, strict=True))

    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        pairs = zip(self._each(params), self._split(y), strict=True)
        return sum(part.log_prob(p, value) for (part, p), value in pairs)

    def sample(self, params: Float[Array, "... P"], *, key: Key) -> PyTree:
        """See AbstractDistribution."""
        keys = jax.random.split(key, len(self.parts))
        pairs = zip(self._each(params), keys, strict=True)
        return self._nest([part.sample(p, key=k) for (part, p), k in pairs])

    def mode(self, params: Float[Array, "... P"]) -> PyTree:
        """See AbstractDistribution."""
        return self._nest([part.mode(p) for part, p in self._each(params)])

    def mean(self, params: Float[Array, "... P"]) -> PyTree:
        """See AbstractDistribution."""
        return self._nest([part.mean(p) for part, p in self._each(params)])

    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        return sum(part.entropy(p) for part, p in self._each(params))

    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """See AbstractDistribution."""
        return sum(part.potential(p) for part, p in self._each(params))

    def encode(self, y: PyTree) -> Float[Array, "... E"]:
        """Return the codes of the parts, end to end."""
        pairs = zip(self.parts, self._split(y), strict=True)
        return jnp.concatenate([part.encode(value) for part, value in pairs], axis=-1)

    def describe(self) -> dict[str, Any]:
        """See AbstractDistribution."""
        names = None if self.names is None else list(self.names)
        return {
            "family": self.family,
            "parts": [part.describe() for part in self.parts],
            "names": names,
        }
