"""Value targets on one sequence, time first. Names carry time: v_tm1 precedes r_t and v_t."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


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
    return decayed_sum(delta_t, discount_t * lambda_t)


def decayed_sum(x_t: Float[Array, " T"], decay_t: Float[Array, " T"]) -> Float[Array, " T"]:
    """Sum what comes later, backwards in time: S_t = x_t + decay_t S_{t+1}."""

    def back(after: Array, now: tuple[Array, Array]) -> tuple[Array, Array]:
        x, decay = now
        here = x + decay * after
        return here, here

    return jax.lax.scan(back, jnp.zeros_like(x_t[0]), (x_t, decay_t), reverse=True)[1]


def n_step_returns(
    r_t: Float[Array, " T"],
    discount_t: Float[Array, " T"],
    v_t: Float[Array, " T"],
    goes_on_t: Bool[Array, " T"],
    n: int,
) -> Float[Array, " T"]:
    """Sum n rewards and the value after them; fewer where the sequence or an episode ends.

    Args:
        r_t: reward of each transition.
        discount_t: gamma, 0 where the transition ended in a terminal state.
        v_t: value after each transition.
        goes_on_t: False where no transition of the same episode follows: v_t is taken there.
        n: transitions, at least 1.

    Returns:
        G^n_t = r_t + discount_t G^{n-1}_{t+1}, G^0_{t+1} = v_t.
    """
    ahead = v_t
    for _ in range(n - 1):
        returns = r_t + discount_t * ahead
        ahead = jnp.where(goes_on_t, jnp.concatenate([returns[1:], v_t[-1:]]), v_t)
    return r_t + discount_t * ahead
