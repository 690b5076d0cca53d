"""Where the heads of a memory of slots read and write (Graves et al. 2014 and 2016).

Axes: N slots of W numbers each, H heads, S the farthest shift. A weighting is N numbers of at least
0 that sum to at most 1. Sources: the Neural Turing Machine (NTM, arXiv 1410.5401), the
Differentiable Neural Computer (DNC, Nature 538:471, Methods) and its improvements by Csordas and
Schmidhuber (arXiv 1904.10278).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

NORM_EPS = 1e-6
"""Added to squared lengths, so that slots of zeros have a similarity of 0 and a finite slope."""


def content_weights(
    keys: Float[Array, "H W"],
    strength: Float[Array, " H"],
    memory: Float[Array, "N W"],
    mask: Float[Array, "H W"] | None = None,
) -> Float[Array, "H N"]:
    """Weigh slots by their likeness to a key (NTM eq. 5 and 6; DNC "content-based addressing").

    Args:
        keys: what each head looks for.
        strength: beta, at least 0; the larger, the narrower.
        memory: the slots.
        mask: in 0 to 1, which numbers of key and slot are compared ("masking", Csordas and
            Schmidhuber); None: all.

    Returns:
        softmax over the slots of strength * cosine(key, slot).
    """
    square = memory * memory
    if mask is None:
        length = jnp.broadcast_to(jnp.sum(square, axis=1)[None], (keys.shape[0], memory.shape[0]))
    else:
        keys = keys * mask
        length = (mask * mask) @ square.T
    of_key = strength * jax.lax.rsqrt(jnp.sum(keys * keys, axis=1) + NORM_EPS)
    score = (of_key[:, None] * keys) @ memory.T * jax.lax.rsqrt(length + NORM_EPS)
    return jax.nn.softmax(score, axis=1)


def interpolate(
    new: Float[Array, "H N"], old: Float[Array, "H N"], gate: Float[Array, " H"]
) -> Float[Array, "H N"]:
    """Mix the weighting by content with the previous one (NTM eq. 7): gate 1 takes the new one."""
    return old + gate[:, None] * (new - old)


def circular_shift(
    weights: Float[Array, "H N"], shift: Float[Array, "H S21"]
) -> Float[Array, "H N"]:
    """Move weightings along the slots, the last one beside the first (NTM eq. 8).

    Args:
        weights: w.
        shift: s, weight of each move from -S to S; [:, S] stays, [:, S + 1] goes to the next slot.

    Returns:
        w'(i) = sum_j w(j) s(i - j), indices modulo N.
    """
    far = shift.shape[1] // 2
    moved = [
        shift[:, far + by, None] * jnp.roll(weights, by, axis=1) for by in range(-far, far + 1)
    ]
    return sum(moved[1:], moved[0])


def sharpen(
    weights: Float[Array, "H N"], power: Float[Array, " H"], floor: float = 1e-12
) -> Float[Array, "H N"]:
    """Return w(i)^power / sum_j w(j)^power (NTM eq. 9; "sharpness", Csordas).

    As softmax(power * log w) nothing underflows: the sum of the powers is never divided by.

    Args:
        weights: w.
        power: gamma, at least 1; the larger, the narrower.
        floor: weights below it count as it, which keeps the logarithm and its slope finite.
    """
    return jax.nn.softmax(power[:, None] * jnp.log(jnp.maximum(weights, floor)), axis=1)


def read(weights: Float[Array, "H N"], memory: Float[Array, "N W"]) -> Float[Array, "H W"]:
    """Return r = sum_i w(i) M(i) of each head (NTM eq. 2)."""
    return weights @ memory


def write(
    memory: Float[Array, "N W"],
    weights: Float[Array, "H N"],
    erase: Float[Array, "H W"],
    add: Float[Array, "H W"],
) -> Float[Array, "N W"]:
    """Erase, then add (NTM eq. 3 and 4): all heads erase before any adds.

    Args:
        memory: M.
        weights: w, of the writing heads.
        erase: e, in 0 to 1.
        add: a.

    Returns:
        M(i) prod_h (1 - w_h(i) e_h) + sum_h w_h(i) a_h.
    """
    for w, e in zip(weights, erase, strict=True):
        memory = memory - memory * (w[:, None] * e[None])
    return memory + weights.T @ add


def retention(free: Float[Array, " H"], read_before: Float[Array, "H N"]) -> Float[Array, " N"]:
    """Return how much of each slot's usage stays, psi = prod_h (1 - f_h w_h) (DNC).

    Args:
        free: f, in 0 to 1; 1 gives back what the head has just read.
        read_before: the read weightings of the step before.
    """
    kept = 1 - free[:, None] * read_before
    result = kept[0]
    for of_head in kept[1:]:
        result = result * of_head
    return result


def next_usage(
    usage: Float[Array, " N"], write_before: Float[Array, " N"], retained: Float[Array, " N"]
) -> Float[Array, " N"]:
    """Return u' = (u + w - u w) psi (DNC), which stays in 0 to 1.

    Args:
        usage: u, 0 free and 1 taken.
        write_before: w, the write weighting of the step before.
        retained: psi, see `retention`.
    """
    return (usage + (1 - usage) * write_before) * retained


def allocation(usage: Float[Array, " N"], floor: float = 1e-6) -> Float[Array, " N"]:
    """Point at the least used slots (DNC, "dynamic memory allocation").

    With phi the slots from the least to the most used (the lower index first among equals),
    a(phi_j) = (1 - u(phi_j)) prod_{i<j} u(phi_i). Here the product runs over "all slots that come
    before": pairs of slots instead of a sort and a permutation, through which no gradient flows
    either. It is a sum of logarithms, whose slope needs no product of all the others.

    Args:
        usage: u, in 0 to 1.
        floor: usage up to it counts as 0 in the product, so that a free slot takes all.
    """
    slots = usage.shape[0]
    index = jnp.arange(slots)
    # [i, j]: slot j comes before slot i.
    tie = (usage[None, :] == usage[:, None]) & (index[None, :] < index[:, None])
    before = (usage[None, :] < usage[:, None]) | tie
    log_used = jnp.where(usage > floor, jnp.log(jnp.maximum(usage, floor)), -jnp.inf)
    log_used = jnp.broadcast_to(log_used[None, :], before.shape)
    return (1 - usage) * jnp.exp(jnp.sum(jnp.where(before, log_used, 0), axis=1))


def next_links(
    links: Float[Array, "N N"], precedence: Float[Array, " N"], write_now: Float[Array, " N"]
) -> Float[Array, "N N"]:
    """Remember which slot was written after which (DNC, "temporal memory linkage").

    Args:
        links: L; L[i, j] near 1: slot i was written right after slot j.
        precedence: p before this write, see `next_precedence`.
        write_now: w.

    Returns:
        L'[i, j] = (1 - w_i - w_j) L[i, j] + w_i p_j, and 0 on the diagonal.
    """
    w_i, w_j = write_now[:, None], write_now[None, :]
    new = (1 - w_i - w_j) * links + w_i * precedence[None, :]
    return jnp.where(jnp.eye(links.shape[0], dtype=bool), 0, new)


def next_precedence(
    precedence: Float[Array, " N"], write_now: Float[Array, " N"]
) -> Float[Array, " N"]:
    """Return p' = (1 - sum w) p + w: how much each slot was the last one written (DNC)."""
    return (1 - jnp.sum(write_now)) * precedence + write_now


def follow_links(
    links: Float[Array, "N N"], weights: Float[Array, "H N"]
) -> tuple[Float[Array, "H N"], Float[Array, "H N"]]:
    """Go one write on and one write back from where heads read (DNC).

    Args:
        links: L, see `next_links`.
        weights: w, of the reading heads.

    Returns:
        Forward L w and backward L^T w.
    """
    return weights @ links.T, weights @ links
