"""An LSTM beside softmax pooling over codes of short stretches of the past.

An LSTM must learn to write and to hold with the same gates. Here holding needs no learning: each of
H heads gives the last W inputs, read by a perceptron without recurrence, a score and a value, and
the values are pooled by softmax over all of the episode (`memup.ops.pooling`). The state has a
constant size, and what was read with a high score is held exactly. The LSTM beside it keeps order
and counts.
"""

from typing import NamedTuple, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.errors import require
from memup.core.types import Key
from memup.memories.base import AbstractParallel
from memup.memories.lstm import LSTMLayer
from memup.memories.stack import LayerState
from memup.nn.linear import apply, rectified
from memup.ops.pooling import Pool, empty_pool, pool


class PooledState(NamedTuple):
    """What is carried.

    Attributes:
        layer: of the LSTM.
        behind: the last W - 1 inputs, zeros where the episode has no such step.
        pool: running sums of the heads.
    """

    layer: LayerState
    behind: Float[Array, "W I"]
    pool: Pool


@final
class Pooled(AbstractParallel):
    """y_t = [h_t of an LSTM, what H heads have pooled up to t], D/2 floats each.

    Args:
        input_size: I, floats a step.
        size: D, floats of the output; an even number, its half a multiple of `heads`.
        heads: H, each with a score of its own.
        stretch: W, inputs that a score and a value are made of, the present one the last.
        timescale: see LSTMLayer.
        key: for the initial weights.

    Raises:
        MemupError: the heads do not divide half of the size.
    """

    layer: LSTMLayer
    read: eqx.nn.Linear
    code: eqx.nn.Linear
    head: eqx.nn.Linear
    heads: int = eqx.field(static=True)
    stretch: int = eqx.field(static=True)
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self, input_size: int, size: int, heads: int, stretch: int, timescale: int, *, key: Key
    ):
        require(
            size % (2 * heads) == 0,
            f"memory.size={size}: expected a multiple of {2 * heads}, twice memory.heads",
        )
        keys, half = jax.random.split(key, 4), size // 2
        self.layer = LSTMLayer(input_size, half, 1.0, timescale, key=keys[0])
        self.read = rectified(stretch * input_size, size, key=keys[1])
        self.code = rectified(size, size, key=keys[2])
        self.head = eqx.nn.Linear(size, heads + half, key=keys[3])
        self.heads, self.stretch = heads, stretch
        self.input_size, self.output_size = input_size, size

    def initial_state(self) -> PooledState:
        """Return zeros, and sums that hold the null slot alone."""
        behind = jnp.zeros((self.stretch - 1, self.input_size))
        width = self.output_size // 2 // self.heads
        return PooledState(self.layer.initial(), behind, empty_pool(self.heads, width))

    def unroll(
        self,
        state: PooledState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[PooledState, Float[Array, "T D"]]:
        """Run the LSTM, then the heads over all steps at once; see AbstractMemory."""
        layer, hs = self.layer.unroll(state.layer, xs, first)
        seen = jnp.concatenate([state.behind, xs])
        # Which episode a step is of, counted within this call; what is behind it is of the first.
        episode = jnp.concatenate([jnp.zeros(self.stretch - 1, int), jnp.cumsum(first)])
        place = jnp.arange(len(first))[:, None] + jnp.arange(self.stretch)[None, :]
        own = episode[place] == episode[self.stretch - 1 :][:, None]
        stretches = jnp.where(own[..., None], seen[place], 0.0).reshape(len(first), -1)
        coded = jax.nn.relu(apply(self.code, jax.nn.relu(apply(self.read, stretches))))
        told = apply(self.head, coded)
        score, value = told[:, : self.heads], told[:, self.heads :]
        value = value.reshape(len(first), self.heads, -1)
        sums, pooled = pool(state.pool, score, value, first)
        last = jnp.where((episode == episode[-1])[:, None], seen, 0.0)[len(first) :]
        ys = jnp.concatenate([hs, pooled.reshape(len(first), -1)], axis=1)
        return PooledState(layer, last, sums), ys
