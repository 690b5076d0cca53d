"""All the chance of one step, carved from one random word: the generator is what a step costs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, Int8, UInt32

from memup.core.types import Key

Word = UInt32[Array, ""]


def draw(key: Key) -> Word:
    """Draw 32 random bits.

    `reset` and `step` of one environment both begin with this call, so in `step_or_reset` the
    compiler sees the same expression twice and computes it once.
    """
    return jax.random.bits(key, (), jnp.uint32)


def take(word: Word, n: int | Int[Array, ""]) -> tuple[Int[Array, ""], Word]:
    """Split a word into a uniform integer and what is left of its randomness.

    The word is read as a fraction u in [0, 1): the integer is floor(n u), the rest is the
    fraction of n u. It uses up log2(n) of the 32 bits, from the top; the bias of the integer is
    at most n / 2^(bits left).

    Args:
        word: random bits.
        n: how many values there are, 1 <= n < 2^31.

    Returns:
        An int32 in 0..n-1, and the word to take the next value from.
    """
    n = jnp.uint32(n) if isinstance(n, int) else n.astype(jnp.uint32)
    low = jnp.uint32(0xFFFF)
    # The high half of a 32 x 32 bit product, from 16-bit parts: there is no uint64 by default.
    word_hi, word_lo, n_hi, n_lo = word >> 16, word & low, n >> 16, n & low
    cross, cross_n = word_hi * n_lo, word_lo * n_hi
    carry = ((cross & low) + (cross_n & low) + ((word_lo * n_lo) >> 16)) >> 16
    high = word_hi * n_hi + (cross >> 16) + (cross_n >> 16) + carry
    return high.astype(jnp.int32), word * n


def take_sign(word: Word) -> tuple[Int8[Array, ""], Word]:
    """Split a word into -1 or +1 (int8) and the rest; it uses up exactly one bit."""
    bit = (word >> 31).astype(jnp.int8)
    return 2 * bit - 1, word << 1
