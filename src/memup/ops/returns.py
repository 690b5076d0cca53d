"""Value targets on one sequence, time first. Names carry time: v_tm1 precedes r_t and v_t."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


def generalised_advantage(
    r_t: Float[Array, " T"],
    discount_t: Float[Array, " T"],
    v_tm1: Float[Array, " T"],
    v_t: Float[Array, " T"],
    lambda_t: Float[Array, " T"] | float,
) -> Float[Array, " T"]:
    """Generalised advantage estimation (Schulman et al. 2016, eq. 16).

    Args:
        r_t: reward of each transition.
        discount_t: gamma, 0 where the transition ended in a terminal state.
        v_tm1: value before each transition.
        v_t: value after it; where an episode was truncated this is the value of its own last
            observation, not of the next episode's first.
        lambda_t: trace decay; 0 cuts the trace, as between two episodes.

    Returns:
        A_t = delta_t + discount_t lambda_t A_{t+1}.
    """
    delta_t = r_t + discount_t * v_t - v_tm1
    decay_t = discount_t * lambda_t

    def back(after: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        delta, decay = now
        here = delta + decay * after
        return here, here

    _, advantage = jax.lax.scan(back, jnp.zeros_like(delta_t[0]), (delta_t, decay_t), reverse=True)
    return advantage
