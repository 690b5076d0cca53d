"""The LSTM over a sequence, with a gradient whose weight part is one product at the end.

Differentiating a scan adds z_t^T d_t to the gradient of the weights at every step, which reads and
writes a whole matrix each time. Here the tangent is written out instead:

    d_t = K_t * (z_t dM + dz_t M + db),   z_t = [h_{t-1}, x_t],   M = [U; W]

with K_t the slopes of the gates. All z_t are known after the forward pass, so z dM and db stand
outside the loop, and so does their transpose. It is a rule for tangents and not for cotangents
because `vmap` then sums over the rows in that same product; a `custom_vjp` would give a gradient
for every row first.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

LSTMState = tuple[Array, Array]


def lstm_gates(pre: Float[Array, " D4"]) -> Float[Array, " D4"]:
    """Return sigmoid(i), sigmoid(f), tanh(g), sigmoid(o), in this order.

    sigmoid(x) is written (1 + tanh(x / 2)) / 2: one tanh over all gates is a loop that XLA
    vectorises, while a loop over each gate apart, cut out of the product, is not.

    Args:
        pre: the gates before their activation.
    """
    size = pre.shape[0] // 4
    half, one, zero = (jnp.full(size, v, pre.dtype) for v in (0.5, 1.0, 0.0))
    scale = jnp.concatenate([half, half, one, half])
    shift = jnp.concatenate([half, half, zero, half])
    return jnp.tanh(pre * scale) * scale + shift


def lstm_cell(gates: Float[Array, " D4"], c: Float[Array, " D"]) -> tuple[Array, Array]:
    """Return h' = o tanh(c') and c' = f c + i g."""
    i, f, g, o = jnp.split(gates, 4)
    c = f * c + i * g
    return o * jnp.tanh(c), c


def _forward(
    xs: Array, weight: Array, bias: Array, state: LSTMState, first: Array
) -> tuple[LSTMState, tuple[Array, Array, Array, Array]]:
    """Scan the cell. Return the last (h, c), all h, and the h, c and gates that each came from."""

    def body(state: LSTMState, now: tuple[Array, Array]) -> tuple[LSTMState, tuple]:
        x, first_t = now
        h, c = (jnp.where(first_t, 0, part) for part in state)
        gates = lstm_gates(jnp.concatenate([h, x]) @ weight + bias)
        after = lstm_cell(gates, c)
        return after, (after[0], h, c, gates)

    return jax.lax.scan(body, state, (xs, first))


@jax.custom_jvp
def lstm_scan(
    xs: Float[Array, "T I"],
    weight: Float[Array, "DI D4"],
    bias: Float[Array, " D4"],
    state: LSTMState,
    first: Bool[Array, " T"],
) -> tuple[LSTMState, Float[Array, "T D"]]:
    """Run one LSTM layer over T inputs; its state is 0 where an episode begins.

    Args:
        xs: inputs.
        weight: U above W, [D + I, 4*D], gates in the order i, f, g, o.
        bias: [4*D].
        state: (h, c) before xs[0].
        first: True where an input begins an episode.

    Returns:
        (h, c) after the last input, and all T values of h.
    """
    state, (hs, *_) = _forward(xs, weight, bias, state, first)
    return state, hs


@lstm_scan.defjvp
def _tangents(primals: tuple, tangents: tuple) -> tuple:
    xs, weight, bias, begin, first = primals
    d_xs, d_weight, d_bias, d_state, _ = tangents
    state, (hs, h, c, gates) = _forward(xs, weight, bias, begin, first)
    size = [h.shape[1]]
    of_h, of_x = jnp.split(weight, size)
    d_of_h, d_of_x = jnp.split(d_weight, size)
    # Under `vmap` the rows are the second axis here, and nothing below may move them: joining two
    # arrays would, and then most of the time goes into transposing what the loops read.
    i, f, g, o = jnp.split(gates, 4, axis=1)
    tanh_c = jnp.tanh(f * c + i * g)
    # The slopes are computed here, for all steps at once: in the loop they would be many small
    # operations, each with the cost of a call.
    slopes = i * (1 - i) * g, f * (1 - f) * c, (1 - g * g) * i, o * (1 - o) * tanh_c
    carried = f, o * (1 - tanh_c * tanh_c)
    outside = h @ d_of_h + xs @ d_of_x + d_xs @ of_x + d_bias[None]

    def body(d_state: LSTMState, now: tuple) -> tuple[LSTMState, Array]:
        outside_t, slopes_t, (keep_c, h_of_c), first_t = now
        d_h, d_c = (jnp.where(first_t, 0, part) for part in d_state)
        d_gates = jnp.split(outside_t + d_h @ of_h, 4)
        d_i, d_f, d_g, d_o = (d * slope for d, slope in zip(d_gates, slopes_t, strict=True))
        d_c = d_i + d_f + d_g + keep_c * d_c
        d_h = d_o + h_of_c * d_c
        return (d_h, d_c), d_h

    d_state, d_hs = jax.lax.scan(body, d_state, (outside, slopes, carried, first))
    return (state, hs), (d_state, d_hs)
