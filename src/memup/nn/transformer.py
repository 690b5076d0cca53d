"""The parts of which Transformers are put together; sequences are [N, D], without a batch."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memup.core.errors import require
from memup.core.types import Key

# Units between the two layers of a feed-forward part, in multiples of D.
WIDENING = 2


def draw(rows: int, columns: int, key: Key) -> Float[Array, "rows columns"]:
    """Draw a matrix for x W that keeps the variance of x: uniform, of variance 1/rows."""
    bound = (3 / rows) ** 0.5
    return jax.random.uniform(key, (rows, columns), minval=-bound, maxval=bound)


class Norm(eqx.Module):
    """Layer normalisation (Ba et al. 2016, arXiv 1607.06450): scale (x - mean) / spread + shift.

    Args:
        size: D.
    """

    scale: Float[Array, " D"]
    shift: Float[Array, " D"]

    def __init__(self, size: int):
        self.scale, self.shift = jnp.ones(size), jnp.zeros(size)

    def __call__(self, x: Float[Array, "N D"]) -> Float[Array, "N D"]:
        """Normalise each row; one of equal numbers becomes `shift`."""
        centred = x - jnp.mean(x, axis=1, keepdims=True)
        variance = jnp.mean(centred * centred, axis=1, keepdims=True)
        # Not rsqrt: on CPUs, XLA (JAX 0.10.2) miscompiles its product where many cotangents meet
        # one x, as in a compiled Jacobian: what lies behind the first 32,768 numbers is wrong.
        return centred / jnp.sqrt(variance + 1e-5) * self.scale[None] + self.shift[None]


class Heads(eqx.Module):
    """The projections of multi-head attention (Vaswani et al. 2017, arXiv 1706.03762).

    Args:
        size: D, a multiple of `heads`.
        heads: H; each has d = D / H units.
        key: for the initial weights.
    """

    weight_q: Float[Array, "D D"]
    weight_kv: Float[Array, "D D2"]
    weight_o: Float[Array, "D D"]
    heads: int = eqx.field(static=True)

    def __init__(self, size: int, heads: int, *, key: Key):
        require(
            size % heads == 0,
            f"memory.size={size}: expected a multiple of memory.heads={heads}",
        )
        keys = jax.random.split(key, 3)
        self.weight_q = draw(size, size, keys[0])
        self.weight_kv = draw(size, 2 * size, keys[1])
        self.weight_o = draw(size, size, keys[2])
        self.heads = heads

    def queries(self, x: Float[Array, "N D"]) -> Float[Array, "N H d"]:
        """Return what each row asks."""
        return (x @ self.weight_q).reshape(x.shape[0], self.heads, -1)

    def keys_and_values(
        self, x: Float[Array, "N D"]
    ) -> tuple[Float[Array, "N H d"], Float[Array, "N H d"]]:
        """Return what each row can be found by, and what it then gives."""
        both = (x @ self.weight_kv).reshape(x.shape[0], 2, self.heads, -1)
        return both[:, 0], both[:, 1]

    def join(self, read: Float[Array, "N H d"]) -> Float[Array, "N D"]:
        """Bring what the heads read together."""
        return read.reshape(read.shape[0], -1) @ self.weight_o


class FeedForward(eqx.Module):
    """relu(x W + b) V + c, on each row.

    Args:
        size: D.
        key: for the initial weights.
    """

    weight_in: Float[Array, "D F"]
    bias_in: Float[Array, " F"]
    weight_out: Float[Array, "F D"]
    bias_out: Float[Array, " D"]

    def __init__(self, size: int, *, key: Key):
        keys = jax.random.split(key)
        self.weight_in = draw(size, WIDENING * size, keys[0])
        self.weight_out = draw(WIDENING * size, size, keys[1])
        self.bias_in, self.bias_out = jnp.zeros(WIDENING * size), jnp.zeros(size)

    def __call__(self, x: Float[Array, "N D"]) -> Float[Array, "N D"]:
        """Apply to each row."""
        inner = jax.nn.relu(x @ self.weight_in + self.bias_in[None])
        return inner @ self.weight_out + self.bias_out[None]


def sinusoids(position: Float[Array, " N"], size: int) -> Float[Array, "N D"]:
    """Encode positions or ages by waves of lengths from 2 pi to 20,000 pi steps.

    Args:
        position: in steps.
        size: D; sines first, then cosines (Dai et al. 2019; Vaswani et al. 2017, section 3.5).
    """
    half = (size + 1) // 2
    rate = jnp.asarray(1e4 ** -(np.arange(half) / half), position.dtype)
    angle = position[:, None] * rate[None]
    return jnp.concatenate([jnp.sin(angle), jnp.cos(angle)], axis=1)[:, :size]
