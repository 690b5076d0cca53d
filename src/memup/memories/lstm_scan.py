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
Slopes = tuple[Array, Array, Array]


def lstm_gates(pre: Float[Array, " D4"], c: Float[Array, " D"]) -> tuple[Array, ...]:
    """Return sigmoid(i, f, o) and tanh(g) as i, f, g, o, and c' = f c + i g and tanh(c').

    sigmoid(x) is written (1 + tanh(x / 2)) / 2: one tanh over all gates is a loop that XLA
    vectorises, while a loop over each gate apart, cut out of the product, is not.

    Args:
        pre: the gates before their activation, in the order i, f, g, o.
        c: the cell state.
    """
    size = c.shape[0]
    half = jnp.full(size, 0.5, pre.dtype)
    scale = jnp.concatenate([half, half, 2 * half, half])
    i, f, g, o = jnp.split(jnp.tanh(pre * scale), 4)
    i, f, o = (0.5 * gate + 0.5 for gate in (i, f, o))
    c = f * c + i * g
    return i, f, g, o, c, jnp.tanh(c)


def _forward(
    xs: Array, weight: Array, bias: Array, state: LSTMState, first: Array, slopes: bool
) -> tuple[LSTMState, Array, tuple[Array, Slopes] | None]:
    """Scan the cell. Return (h, c), all h, and with `slopes` all z and the slopes."""

    def body(state: LSTMState, now: tuple[Array, Array]) -> tuple[LSTMState, tuple]:
        x, first_t = now
        h, c = (jnp.where(first_t, 0, part) for part in state)
        z = jnp.concatenate([h, x])
        i, f, g, o, after, tanh_c = lstm_gates(z @ weight + bias, c)
        h = o * tanh_c
        if not slopes:
            return (h, after), (h, None)
        of_gates = [i * (1 - i) * g, f * (1 - f) * c, (1 - g * g) * i, o * (1 - o) * tanh_c]
        keep_c = jnp.where(first_t, 0, f)
        h_of_c = o * (1 - tanh_c * tanh_c)
        return (h, after), (h, (z, (jnp.concatenate(of_gates), keep_c, h_of_c)))

    state, (hs, saved) = jax.lax.scan(body, state, (xs, first))
    return state, hs, saved


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
    state, hs, _ = _forward(xs, weight, bias, state, first, False)
    return state, hs


@lstm_scan.defjvp
def _tangents(primals: tuple, tangents: tuple) -> tuple:
    xs, weight, bias, state, first = primals
    d_xs, d_weight, d_bias, d_state, _ = tangents
    state, hs, (zs, slopes) = _forward(xs, weight, bias, state, first, True)
    outside = zs @ d_weight + d_bias[None]
    first = jnp.broadcast_to(first[:, None], hs.shape)

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
