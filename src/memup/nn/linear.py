"""Linear layers: how they begin, and a gradient that XLA computes fast on CPUs."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.types import Key


def apply(layer: eqx.nn.Linear, x: Float[Array, "... I"]) -> Float[Array, "... O"]:
    """Return W x + b, of every vector x.

    The gradient of W, over all rows of a batch, is X^T dY here, [I, O], and transposed after that:
    the product is up to twice as fast where its rows are long, and O is seldom less than I. The
    barrier keeps XLA from folding the transpose into the product, which would make it [O, I].

    Args:
        layer: W [O, I] and b [O].
        x: one input, or many.
    """
    y = x @ jax.lax.optimization_barrier(layer.weight.T)
    return y + jnp.broadcast_to(layer.bias, y.shape)


def rectified(inputs: int, outputs: int, *, key: Key) -> eqx.nn.Linear:
    """Make a layer that a rectifier follows: its weights have variance 2 / I (He et al. 2015).

    Equinox's have a sixth of that. What tells two questions apart shrinks by such a factor in each
    layer, and with it the gradient by which a memory finds out what each of them asks for.

    Args:
        inputs: I.
        outputs: O.
        key: for the weights; the bias begins as Equinox's.
    """
    layer = eqx.nn.Linear(inputs, outputs, key=key)
    return eqx.tree_at(lambda one: one.weight, layer, jnp.sqrt(6.0) * layer.weight)
