"""Recurrent independent mechanisms (Goyal et al., ICLR 2021, arXiv 1909.10893).

N small recurrent networks share the units. At each step they compete for the input, the A that
want it most advance on their own weights, and those then read what the others hold.
"""

from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.errors import require
from memup.core.types import Key
from memup.memories.base import AbstractMemory, reset_where
from memup.memories.gru import GRULayer
from memup.memories.lstm import LSTMLayer
from memup.memories.stack import AbstractLayer, LayerState


def least(scores: Float[Array, " N"], count: int) -> Bool[Array, " N"]:
    """Mark the `count` smallest of N scores; of equal ones the earlier.

    By comparing all pairs: for few scores that is cheaper than a sort and a scatter.
    """
    order = jnp.arange(scores.shape[0])
    smaller = scores[:, None] > scores[None]
    equal_earlier = (scores[:, None] == scores[None]) & (order[:, None] > order[None])
    return jnp.sum(smaller | equal_earlier, axis=1) < count


def exchange(
    query: Float[Array, "N H K"], key: Float[Array, "N H K"], value: Float[Array, "N H K"]
) -> Float[Array, "N HK"]:
    """Return what each of N mechanisms reads from all, H heads side by side.

    Args:
        query: what each asks, by head.
        key: what each is found by.
        value: what each gives.
    """
    logits = jnp.einsum("nhk,mhk->hnm", query, key) * query.shape[-1] ** -0.5
    share = jax.nn.softmax(logits, axis=-1)
    return jnp.einsum("hnm,mhk->nhk", share, value).reshape(query.shape[0], -1)


@final
class RIM(AbstractMemory):
    """N mechanisms of D units, of which A are active at a step.

    With x the input and a row of zeros beside it:

        attention_n = softmax(q_n [0; x W_e]^T / sqrt(keys)),  q_n = h_n W_q,n
        active: the A mechanisms with the least attention on the row of zeros, mean over heads
        h~_n, c_n = cell_n(attention_n [0; x W_v], h_n, c_n) where active
        h_n = h~_n + W_o,n sum_m softmax_m(Q_n K_m^T / sqrt(comm_keys)) V_m where active

    Inactive ones keep h and c as they were; the update that they discard takes no gradient, and
    in the exchange the others read their unchanged h. The output is all h end to end.

    Args:
        input_size: I, floats a step.
        size: N*D, the units of all mechanisms.
        mechanisms: N.
        active: A, how many advance at a step.
        cell: "lstm" or "gru".
        keys: width of the keys of the input attention, each head.
        values: width of what a mechanism reads of the input, all heads.
        heads: heads of the input attention.
        comm_keys: width of keys and values of the exchange, each head.
        comm_heads: heads of the exchange.
        timescale: spreads the time scales of LSTM gates, see LSTMLayer.
        key: for the initial weights.

    Raises:
        MemupError: N does not divide the size, heads do not divide the values, or A > N.
    """

    weight_key: Float[Array, "I H K"]
    weight_value: Float[Array, "I H V"]
    weight_query: Float[Array, "N D H K"]
    layers: AbstractLayer
    comm_in: Float[Array, "N D 3HC"]
    comm_out: Float[Array, "N HC D"]
    initial_h: Float[Array, "N D"]
    active: int = eqx.field(static=True)
    comm_heads: int = eqx.field(static=True)
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        size: int,
        mechanisms: int,
        active: int,
        cell: str,
        keys: int,
        values: int,
        heads: int,
        comm_keys: int,
        comm_heads: int,
        timescale: int,
        *,
        key: Key,
    ):
        require(
            size % mechanisms == 0,
            f"memory.size={size}: expected a multiple of memory.mechanisms={mechanisms}",
        )
        require(
            active <= mechanisms,
            f"memory.active={active}: expected at most memory.mechanisms={mechanisms}",
        )
        require(
            values % heads == 0,
            f"memory.values={values}: expected a multiple of memory.heads={heads}",
        )
        units, wide = size // mechanisms, comm_heads * comm_keys
        k = jax.random.split(key, 7)

        def layer(key: Key) -> AbstractLayer:
            if cell == "gru":
                return GRULayer(values, units, 0, key=key)
            return LSTMLayer(values, units, 1.0, timescale, key=key)

        # One layer with a leading axis N on every weight.
        self.layers = eqx.filter_vmap(layer)(jax.random.split(k[0], mechanisms))
        self.weight_key = _uniform(input_size, (input_size, heads, keys), k[1])
        self.weight_value = _uniform(input_size, (input_size, heads, values // heads), k[2])
        self.weight_query = _uniform(units, (mechanisms, units, heads, keys), k[3])
        self.comm_in = _uniform(units, (mechanisms, units, 3 * wide), k[4])
        self.comm_out = _uniform(wide, (mechanisms, wide, units), k[5])
        # Not zero: mechanisms that begin alike could not compete at the first step.
        self.initial_h = _uniform(units, (mechanisms, units), k[6])
        self.active, self.comm_heads = active, comm_heads
        self.input_size, self.output_size = input_size, size

    def initial_state(self) -> LayerState:
        """Return (h, c) or (h,), each [N, D]: a learned h, and c = 0."""
        return (self.initial_h, *jax.vmap(lambda layer: layer.initial())(self.layers)[1:])

    def step(
        self, state: LayerState, x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[LayerState, Float[Array, " ND"]]:
        """Read one input; see AbstractMemory."""
        state = self._advance(state, *(part[0] for part in self._offers(x[None])))
        return state, state[0].reshape(-1)

    def unroll(
        self,
        state: LayerState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[LayerState, Float[Array, "T ND"]]:
        """Read T inputs; see AbstractMemory."""
        initial = self.initial_state()

        def body(state: LayerState, now: Any) -> tuple[LayerState, Array]:
            first_t, offers = now
            state = self._advance(reset_where(first_t, initial, state), *offers)
            return state, state[0].reshape(-1)

        # A step is small: to compute it again for the gradient takes less time than to keep all
        # that it went through.
        body = jax.checkpoint(body, prevent_cse=False)
        return jax.lax.scan(body, state, (first, self._offers(xs)))

    def _offers(
        self, xs: Float[Array, "T I"]
    ) -> tuple[Float[Array, "T N H D"], Float[Array, "T N H GD"]]:
        """Return what does not depend on h, as few products over all steps.

        Returns:
            w with q_n . (x W_e) = h_n . w_n, and the share of x W_v in the gates if a head looked
            at nothing else.
        """
        keys = jnp.einsum("ti,ihk->thk", xs, self.weight_key)
        values = jnp.einsum("ti,ihv->thv", xs, self.weight_value)
        weight_x = self.layers.weight_x.reshape(len(self.initial_h), *values.shape[1:], -1)
        wanted = jnp.einsum("thk,ndhk->tnhd", keys, self.weight_query) * keys.shape[-1] ** -0.5
        return wanted, jnp.einsum("thv,nhvg->tnhg", values, weight_x)

    def _advance(
        self, state: LayerState, wanted: Float[Array, "N H D"], gates: Float[Array, "N H GD"]
    ) -> LayerState:
        logits = jnp.einsum("nd,nhd->nh", state[0], wanted)
        # The row of zeros has logit 0, so that the softmax over it and x is a sigmoid.
        active = least(jnp.mean(jax.nn.sigmoid(-logits), axis=1), self.active)
        active = jnp.broadcast_to(active[:, None], state[0].shape)
        pre_x = jnp.einsum("nh,nhg->ng", jax.nn.sigmoid(logits), gates) + self.layers.bias

        def of_one(layer: AbstractLayer, pre_x: Array, state: LayerState) -> LayerState:
            return layer.cell(pre_x, state[0] @ layer.weight_h, state)

        moved = jax.vmap(of_one)(self.layers, pre_x, state)
        moved = tuple(jnp.where(active, a, b) for a, b in zip(moved, state, strict=True))
        return (jnp.where(active, self._exchange(moved[0]), moved[0]), *moved[1:])

    def _exchange(self, h: Float[Array, "N D"]) -> Float[Array, "N D"]:
        mixed = jnp.einsum("nd,ndk->nk", h, self.comm_in)
        parts = jnp.split(mixed.reshape(len(h), self.comm_heads, -1), 3, axis=-1)
        return h + jnp.einsum("nk,nkd->nd", exchange(*parts), self.comm_out)


def _uniform(fan_in: int, shape: tuple[int, ...], key: Key) -> Array:
    """Draw in +-1/sqrt(fan_in)."""
    bound = fan_in**-0.5
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)
