"""V-trace: values of one policy from what another one did (Espeholt et al. 2018, 1802.01561)."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.ops.returns import decayed_sum


class VTrace(NamedTuple):
    """What a learner aims at.

    Attributes:
        value: v_s, the target of V(x_s), [T].
        advantage: of the action taken, already weighted by min(rho_pg, ratio), [T].
    """

    value: Float[Array, " T"]
    advantage: Float[Array, " T"]


def vtrace(
    ratio_tm1: Float[Array, " T"],
    r_t: Float[Array, " T"],
    discount_t: Float[Array, " T"],
    v_tm1: Float[Array, " T"],
    v_t: Float[Array, " T"],
    rho: float = 1.0,
    c: float = 1.0,
    trace: float = 1.0,
) -> VTrace:
    """Correct values and advantages for the policy that acted (eq. 1 and section 4.2).

    delta_t = min(rho, ratio) (r_t + discount_t v_t - v_tm1) and
    v_s = V(x_s) + sum_{t >= s} (product of discount min(c, ratio) trace from s to t-1) delta_t.

    Args:
        ratio_tm1: pi(a|x) / mu(a|x) of each action, mu the policy that acted; 0 where there is no
            transition, which leaves V(x) as it is and cuts what comes later.
        r_t: reward of each transition.
        discount_t: gamma, 0 where the transition ended in a terminal state.
        v_tm1: value before each transition.
        v_t: value after it.
        rho: highest weight of a correction; it decides which policy is evaluated.
        c: highest weight of a trace; it decides how fast corrections travel.
        trace: lambda, further decay of traces.
    """
    weight = jnp.minimum(rho, ratio_tm1)
    delta_t = weight * (r_t + discount_t * v_t - v_tm1)
    decay_t = discount_t * trace * jnp.minimum(c, ratio_tm1)
    value = v_tm1 + decayed_sum(delta_t, decay_t)
    ahead = jnp.concatenate([value[1:], v_t[-1:]])
    return VTrace(value, weight * (r_t + discount_t * ahead - v_tm1))
