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
) -> tuple[LSTMState, tuple[Array, Array, Array]]:
    """Scan the cell. Return the last (h, c), and all h, c and gates."""

    def body(state: LSTMState, now: tuple[Array, Array]) -> tuple[LSTMState, tuple]:
        x, first_t = now
        h, c = (jnp.where(first_t, 0, part) for part in state)
        gates = lstm_gates(jnp.concatenate([h, x]) @ weight + bias)
        h, c = lstm_cell(gates, c)
        return (h, c), (h, c, gates)

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
    state, (hs, _, _) = _forward(xs, weight, bias, state, first)
    return state, hs


@lstm_scan.defjvp
def _tangents(primals: tuple, tangents: tuple) -> tuple:
    xs, weight, bias, begin, first = primals
    d_xs, d_weight, d_bias, d_state, _ = tangents
    state, (hs, cs, gates) = _forward(xs, weight, bias, begin, first)
    first = jnp.broadcast_to(first[:, None], hs.shape)
    h, c = (_before(first, a, all_) for a, all_ in zip(begin, (hs, cs), strict=True))
    zs = jnp.concatenate([h, xs], axis=1)
    # The slopes are computed here, for all steps at once: in the loop they would be many small
    # operations, each with the cost of a call.
    i, f, g, o = jnp.split(gates, 4, axis=1)
    tanh_c = jnp.tanh(cs)
    of_gates = jnp.concatenate(
        [i * (1 - i) * g, f * (1 - f) * c, (1 - g * g) * i, o * (1 - o) * tanh_c], axis=1
    )
    slopes = of_gates, jnp.where(first, 0, f), o * (1 - tanh_c * tanh_c)
    outside = zs @ d_weight + d_bias[None]

    def body(d_state: LSTMState, now: tuple) -> tuple[LSTMState, Array]:
        outside_t, (of_gates, keep_c, h_of_c), first_t, d_x = now
        d_h, d_c = d_state
        d_z = jnp.concatenate([jnp.where(first_t, 0, d_h), d_x])
        d_i, d_f, d_g, d_o = jnp.split((outside_t + d_z @ weight) * of_gates, 4)
        d_c = d_i + d_f + d_g + keep_c * d_c
        d_h = d_o + h_of_c * d_c
        return (d_h, d_c), d_h

    d_state, d_hs = jax.lax.scan(body, d_state, (outside, slopes, first, d_xs))
    return (state, hs), (d_state, d_hs)


def _before(
    first: Bool[Array, "T D"], begin: Float[Array, " D"], after: Float[Array, "T D"]
) -> Float[Array, "T D"]:
    """Return what each step began with, from what it ended with."""
    return jnp.where(first, 0, jnp.concatenate([begin[None], after[:-1]]))
