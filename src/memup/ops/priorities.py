"""How much a sequence is worth replaying (Kapturowski et al. 2019, section 2.3)."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def sequence_priority(
    error_t: Float[Array, " T"], valid_t: Bool[Array, " T"], eta: float
) -> Float[Array, ""]:
    """Return eta max |error| + (1 - eta) mean |error|, over the valid steps alone.

    Args:
        error_t: temporal-difference errors.
        valid_t: False where there is no transition.
        eta: weight of the largest error, 0 to 1.
    """
    size = jnp.where(valid_t, jnp.abs(error_t), 0.0)
    mean = jnp.sum(size) / jnp.maximum(jnp.sum(valid_t), 1)
    return eta * jnp.max(size) + (1 - eta) * mean
