"""Attention over the last W steps: causal, banded, within an episode, with keys told by age.

A score has two parts: what a query asks of a key's content, and what it asks of the key's age,

    s[t, j] = (q_t . k_j + p_t . r_[t - j]) / sqrt(d)

(Shaw et al. 2018, arXiv 1803.02155, eq. 4; with q = p + u - v, Dai et al. 2019, arXiv 1901.02860,
section 3.3). The second is computed for the W ages, not for all pairs, and laid out by a shift.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

# Queries of longer sequences are taken in blocks of the window's length, but not of fewer steps.
SMALLEST_BLOCK = 32


def safe_attention(
    scores: Float[Array, "H T S"], allowed: Bool[Array, "T S"], v: Float[Array, "H S d"]
) -> tuple[Float[Array, "H T d"], Float[Array, "H T"]]:
    """Return softmax(scores) v over the allowed keys, and the logarithm of the softmax's sum.

    Forbidden keys have no effect at all, neither on values nor on gradients, and even where they
    are not finite: 0 * NaN would be NaN. A query that may look at a broken value gets NaN.

    Args:
        scores: of T queries and S keys, in H heads.
        allowed: which keys a query may look at; one that may look at none gets 0.
        v: values.
    """
    lowest = jnp.finfo(scores.dtype).min
    allowed_h = jnp.broadcast_to(allowed[None], scores.shape)
    scores = jnp.where(allowed_h, scores, lowest)
    highest = jax.lax.stop_gradient(jnp.max(scores, axis=-1, keepdims=True))
    weight = jnp.where(allowed_h, jnp.exp(scores - highest), 0)
    total = jnp.sum(weight, axis=-1, keepdims=True)
    safe = jnp.where(total == 0, 1, total)
    sound = jnp.isfinite(v)
    out = jnp.einsum("hts,hsd->htd", weight, jnp.where(sound, v, 0)) / safe
    broken = jnp.any(allowed & ~jnp.all(sound, axis=(0, 2))[None], axis=1)
    out = jnp.where(broken[None, :, None], jnp.nan, out)
    return out, jnp.squeeze(highest + jnp.log(safe), -1)


def by_age(scores: Float[Array, "H T W"], keys: int) -> Float[Array, "H T S"]:
    """Turn scores by age into scores by key: out[t, t + W - 1 - age] = scores[t, age], else 0.

    Args:
        scores: of T queries and W ages, the youngest first.
        keys: S = W - 1 + T; key s is the step s - (W - 1), counted from the first query.
    """
    heads, steps, _ = scores.shape
    # Rows that are one longer than S, cut anew into rows of S, begin one further right each.
    padded = jnp.pad(jnp.flip(scores, 2), ((0, 0), (0, 0), (0, steps)))
    return padded.reshape(heads, -1)[:, : steps * keys].reshape(heads, steps, keys)


def _band(
    q: Array, p: Array, k: Array, v: Array, r: Array, episode: Array, window: int
) -> tuple[Array, Array]:
    """Attend with T queries to the keys before and beside them; see `banded_attention`.

    Heads stand first: q, p [H, T, d], k, v [H, S, d], r [H, A, d], S = A - 1 + T, A >= window.
    """
    steps, ages = q.shape[1], r.shape[1]
    keys = ages - 1 + steps
    scale = q.shape[2] ** -0.5
    content = jnp.einsum("htd,hsd->hts", q * scale, k)
    position = by_age(jnp.einsum("htd,had->hta", p * scale, r), keys)
    age = jnp.arange(steps)[:, None] + (ages - 1) - jnp.arange(keys)[None]
    of_query = episode[ages - 1 :]
    same = (of_query[:, None] == episode[None]) & (episode >= 0)[None]
    return safe_attention(content + position, (age >= 0) & (age < window) & same, v)


def banded_attention(
    q: Float[Array, "T H d"],
    p: Float[Array, "T H d"],
    k: Float[Array, "S H d"],
    v: Float[Array, "S H d"],
    r: Float[Array, "W H d"],
    episode: Int[Array, " S"],
) -> tuple[Float[Array, "T H d"], Float[Array, "T H"]]:
    """Attend from each of T steps to itself and the W - 1 before it, within its episode.

    Time and memory are O(T W).

    Args:
        q: what a query asks of contents.
        p: what it asks of ages.
        k: keys of the W - 1 earlier steps, then of the T steps; S = W - 1 + T.
        v: values of the same.
        r: keys of ages; the first is that of age 0, the step itself.
        episode: number of the episode that a key belongs to; -1 where there is no key.

    Returns:
        What was read, and the logarithm of the sum of e^score: with it, further keys can join the
        same softmax later.
    """
    window, steps = r.shape[0], q.shape[0]
    q, p, k, v, r = (jnp.swapaxes(a, 0, 1) for a in (q, p, k, v, r))
    block = max(window - 1, SMALLEST_BLOCK)
    if steps <= block:
        out, total = _band(q, p, k, v, r, episode, window)
        return jnp.swapaxes(out, 0, 1), total.T
    early, late = block - (window - 1), -steps % block
    count = (steps + late) // block
    q, p = (_in_blocks(a, 0, late, block) for a in (q, p))
    k, v = (_pairs(_in_blocks(a, early, late, block)) for a in (k, v))
    episode = jnp.pad(episode, (early, late), constant_values=-1).reshape(count + 1, block)
    episode = jnp.concatenate([episode[:-1], episode[1:]], axis=1)
    r = jnp.pad(r, ((0, 0), (0, early), (0, 0)))
    out, total = jax.vmap(_band, (0, 0, 0, 0, None, 0, None))(q, p, k, v, r, episode, window)
    out, total = jnp.swapaxes(out, 1, 2), jnp.swapaxes(total, 1, 2)
    return out.reshape(-1, *out.shape[2:])[:steps], total.reshape(-1, total.shape[2])[:steps]


def _in_blocks(a: Array, early: int, late: int, block: int) -> Array:
    """Pad the steps of [H, N, d] and cut them into blocks, [n, H, block, d]."""
    heads, _, size = a.shape
    a = jnp.pad(a, ((0, 0), (early, late), (0, 0)))
    return jnp.swapaxes(a.reshape(heads, -1, block, size), 0, 1)


def _pairs(a: Array) -> Array:
    """Put each block of keys after the one before it, [n - 1, H, 2 * block, d]."""
    return jnp.concatenate([a[:-1], a[1:]], axis=2)
