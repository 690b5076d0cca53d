"""Keys that find rows of a memory by their content."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.types import Key
from memup.ops.addressing import content_weights, read

STRENGTH = 4.0


class Reader(eqx.Module):
    """Reads rows that are like its keys: H keys and strengths, a linear map of a state.

    w = softmax(strength * cosine(key, row)), strength = softplus of its number, which begins near
    STRENGTH: with a strength near 0 every reading is the mean of all rows, and a key that finds the
    right one changes next to nothing.

    Args:
        inputs: I, size of the state that asks.
        width: W, numbers in a row.
        heads: H.
        key: for the initial weights.
    """

    ask: eqx.nn.Linear
    heads: int = eqx.field(static=True)

    def __init__(self, inputs: int, width: int, heads: int, *, key: Key):
        self.heads = heads
        ask = eqx.nn.Linear(inputs, heads * (width + 1), key=key)
        bias = ask.bias.reshape(heads, -1).at[:, -1].set(STRENGTH)
        self.ask = eqx.tree_at(lambda layer: layer.bias, ask, jnp.ravel(bias))

    def __call__(
        self, state: Float[Array, " I"], rows: Float[Array, "N W"]
    ) -> tuple[Float[Array, " HW"], Float[Array, "H N"]]:
        """Return what was read, the heads end to end, and with which weights."""
        asked = self.ask(state).reshape(self.heads, -1)
        weights = content_weights(asked[:, :-1], jax.nn.softplus(asked[:, -1]), rows)
        return jnp.ravel(read(weights, rows)), weights
