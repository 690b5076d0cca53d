"""The rescaling of action values h and its inverse (Pohlen et al. 2018, arXiv 1805.11593)."""

import jax.numpy as jnp
from jaxtyping import Array, Float

EPSILON = 1e-3


def rescale(x: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return h(x) = sign(x) (sqrt(|x| + 1) - 1) + epsilon x: large values come closer together."""
    size = jnp.abs(x)
    # sqrt(s + 1) - 1 without the difference of two near numbers.
    return jnp.sign(x) * (size / (jnp.sqrt(size + 1) + 1)) + EPSILON * x


def unscale(y: Float[Array, "..."]) -> Float[Array, "..."]:
    """Return h^-1(y): the root s = sqrt(|x| + 1) of epsilon s^2 + s = |y| + 1 + epsilon, squared.

    With u = s - 1 this is epsilon u^2 + (1 + 2 epsilon) u = |y|, whose positive root is
    u = 2 |y| / (1 + 2 epsilon + sqrt((1 + 2 epsilon)^2 + 4 epsilon |y|)), and |x| = u (u + 2):
    no difference of near numbers, so that float32 is enough.
    """
    size, b = jnp.abs(y), 1 + 2 * EPSILON
    u = 2 * size / (b + jnp.sqrt(b * b + 4 * EPSILON * size))
    return jnp.sign(y) * (u * (u + 2))
