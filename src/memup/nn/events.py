"""Which steps are events: those whose observation is rare.

The rarity of an observation is that of `memup.data.rarity`, here for one step and on the device.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.spaces import Space, split
from memup.core.types import Key, Observation, StepInput
from memup.nn.encoders import InputEncoder
from memup.nn.marginal import Marginal


class ObservationRarity(eqx.Module):
    """How rare an observation is among the stored ones, at least 0.

    Attributes:
        space: what the observation is.
        numbers: those that are looked at.
    """

    space: Space = eqx.field(static=True)
    numbers: tuple[Marginal, ...] = eqx.field(static=True)

    @classmethod
    def of(cls, space: Space, facts: Iterable[Mapping[str, Any]]) -> "ObservationRarity":
        """Make it from what `memup.data.rarity.measure` returned."""
        return cls(space, tuple(Marginal.of(fact) for fact in facts))

    def __call__(self, obs: Observation) -> Float[Array, ""]:
        """Return the highest rarity of all numbers."""
        leaves = {name: jnp.ravel(leaf) for name, leaf in split(self.space, obs).items()}
        scores = [
            n.rarity(leaves[n.field][n.number].astype(jnp.float32), jnp) for n in self.numbers
        ]
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
    rarity: ObservationRarity
    threshold: float = eqx.field(static=True)

    @property
    def output_size(self) -> int:
        """E + 1."""
        return self.inner.output_size + 1

    def __call__(self, x: StepInput, key: Key | None = None) -> Float[Array, " E1"]:
        """Encode one step; see InputEncoder."""
        event = x.first | (self.rarity(x.obs) > self.threshold)
        return jnp.concatenate([event.astype(jnp.float32)[None], self.inner(x, key)])
