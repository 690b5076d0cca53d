"""What a distribution is: a static description, whose parameters a network gives."""

import abc
import dataclasses
import math
from typing import Any, ClassVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree, Shaped

from memup.core.types import Key

LOG_2PI = math.log(2 * math.pi)


class AbstractDistribution(eqx.Module):
    """A distribution over values y of one space, given P numbers that a network makes.

    It holds no arrays and nothing to train. Every method takes any leading axes: those of the
    parameters, [..., P], and those of the leaves of y are the same. Nats are reported by
    `log_prob` and `entropy` alone, both in units of the data, so that the mean of -log_prob over
    samples is the entropy.

    Attributes:
        family: name that `from_description` knows it by.
        param_size: P, numbers that the network must give.
        encoded_size: E, floats that `encode` gives.
        finite: whether y takes one of few values, so that a prediction is right or wrong.
    """

    family: ClassVar[str]
    finite: ClassVar[bool] = False
    param_size: eqx.AbstractVar[int]
    encoded_size: eqx.AbstractVar[int]

    @abc.abstractmethod
    def log_prob(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """Return log q(y), in nats: of a density in units of y where y is real."""

    @abc.abstractmethod
    def sample(self, params: Float[Array, "... P"], *, key: Key) -> PyTree:
        """Draw y."""

    @abc.abstractmethod
    def mode(self, params: Float[Array, "... P"]) -> PyTree:
        """Return the likeliest y; of a squashed normal, its median."""

    @abc.abstractmethod
    def mean(self, params: Float[Array, "... P"]) -> PyTree:
        """Return the expected y, as floats; of categories that are no numbers, the likeliest."""

    @abc.abstractmethod
    def entropy(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return E[-log q(y)], in nats; below 0 where a density is narrow."""

    @abc.abstractmethod
    def potential(self, params: Float[Array, "... P"]) -> Float[Array, "..."]:
        """Return a number that ranks steps by uncertainty: at least 0, and it grows with entropy.

        It compares values of one distribution only; it is not in nats of the data.
        """

    def potentials(self, params: Float[Array, "... P"]) -> Float[Array, "... O"]:
        """Return the potential of every number of y, as far as the family tells them apart.

        Their sum is `potential`.
        """
        return self.potential(params)[..., None]

    @abc.abstractmethod
    def encode(self, y: PyTree) -> Float[Array, "... E"]:
        """Return y as floats that a network can read."""

    def summary(self, params: Float[Array, "... P"]) -> dict[str, Array]:
        """Return what users are told: "value", the likeliest y, and beside it how sure that is."""
        return {"value": self.mode(params)}

    def classes(self) -> np.ndarray | None:
        """Return the values that each number of y can have, [O, A]; None where it has no such."""
        return None

    def loss(self, params: Float[Array, "... P"], y: PyTree) -> Float[Array, "..."]:
        """Return what training makes small: -log q(y), unless the family says otherwise."""
        return -self.log_prob(params, y)

    def describe(self) -> dict[str, Any]:
        """Return plain JSON that `from_description` makes the distribution of again."""
        fields = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self)}
        return {"family": self.family, **fields}

    @classmethod
    def of_fields(cls, fields: dict[str, Any]) -> "AbstractDistribution":
        """Undo `describe`, the name of the family taken out."""
        return cls(**{name: _field(value) for name, value in fields.items()})


def flat(y: Array, shape: tuple[int, ...]) -> Shaped[Array, "... O"]:
    """Lay the elements of arrays of one shape end to end, behind their leading axes."""
    y = jnp.asarray(y)
    return y.reshape(*y.shape[: y.ndim - len(shape)], math.prod(shape))


def shaped(y: Shaped[Array, "... O"], shape: tuple[int, ...]) -> Array:
    """Undo `flat`."""
    return y.reshape(*y.shape[:-1], *shape)


def constants(values: tuple[float, ...], like: Array) -> Array:
    """Return constants [O] with as many axes as an array [..., O]."""
    return jnp.asarray(values, jnp.float32).reshape((1,) * (like.ndim - 1) + (-1,))


def _plain(value: Any) -> Any:
    """Return tuples as lists and infinities, which JSON does not know, as text."""
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _field(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_field(v) for v in value)
    return float(value) if value in ("inf", "-inf") else value
