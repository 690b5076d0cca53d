"""Which steps are events: those whose observation is rare.

The rarity of an observation is that of `memup.data.starts`, here for one step and on the device.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.nn.encoder import InputEncoder
from memup.spaces import Space, split
from memup.types import Observation, StepInput

LEAST_STD = 0.1


class Column(NamedTuple):
    """The marginal of one number of the observation; a record of `memup.data.starts.measure`.

    Attributes:
        field: the leaf of the observation.
        number: which number of it.
        mean: of the surprise, in nats.
        std: of the surprise.
        values: those that were seen; none: the marginal is a normal.
        surprise: of these values.
        unseen: surprise of any other.
        shift: mean of the normal.
        scale: its deviation.
    """

    field: str
    number: int
    mean: float
    std: float
    values: tuple[float, ...] = ()
    surprise: tuple[float, ...] = ()
    unseen: float = 0.0
    shift: float = 0.0
    scale: float = 1.0

    def rarity(self, x: Float[Array, ""]) -> Float[Array, ""]:
        """Return by how many deviations the surprise of a value is above the mean."""
        if self.values:
            seen = x == jnp.array(self.values)
            known = jnp.sum(jnp.where(seen, jnp.array(self.surprise), 0.0))
            surprise = jnp.where(jnp.any(seen), known, self.unseen)
        else:
            surprise = 0.5 * ((x - self.shift) / self.scale) ** 2
        return (surprise - self.mean) / max(self.std, LEAST_STD)


class Rarity(eqx.Module):
    """How rare an observation is among the stored ones, at least 0.

    Attributes:
        space: what the observation is.
        columns: the numbers that are looked at.
    """

    space: Space = eqx.field(static=True)
    columns: tuple[Column, ...] = eqx.field(static=True)

    @classmethod
    def of(cls, space: Space, facts: Iterable[Mapping[str, Any]]) -> "Rarity":
        """Make it from what `memup.data.starts.measure` returned."""
        frozen = [{k: tuple(v) if isinstance(v, list) else v for k, v in f.items()} for f in facts]
        return cls(space, tuple(Column(**fact) for fact in frozen))

    def __call__(self, obs: Observation) -> Float[Array, ""]:
        """Return the highest rarity of all numbers."""
        leaves = {name: jnp.ravel(leaf) for name, leaf in split(self.space, obs).items()}
        numbers = [leaves[c.field][c.number].astype(jnp.float32) for c in self.columns]
        scores = [c.rarity(x) for c, x in zip(self.columns, numbers, strict=True)]
        return jnp.max(jnp.stack([jnp.zeros(()), *scores]))


class EventEncoder(eqx.Module):
    """Puts a number before what another encoder gives: 1 where the step is an event, else 0.

    The first step of an episode is one.

    Attributes:
        inner: the other encoder.
        rarity: of an observation.
        threshold: what is rarer is an event.
    """

    inner: InputEncoder
    rarity: Rarity
    threshold: float = eqx.field(static=True)

    @property
    def output_size(self) -> int:
        """E + 1."""
        return self.inner.output_size + 1

    def __call__(self, x: StepInput) -> Float[Array, " E1"]:
        """Encode one step."""
        event = x.first | (self.rarity(x.obs) > self.threshold)
        return jnp.concatenate([event.astype(jnp.float32)[None], self.inner(x)])
