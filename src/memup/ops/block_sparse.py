"""Block-sparse attention: a window, global blocks and fixed random blocks, at a cost linear in n.

"Big Bird" (Zaheer et al. 2020, arXiv 2007.14062, section 2 and appendix D). The sequence is cut
into blocks; which blocks of keys a block of queries looks at is fixed before anything is computed,
no block twice, so the result is that of dense attention under the equivalent mask.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from memup.core.errors import require
from memup.ops.attention import safe_attention


@dataclass(frozen=True)
class Pattern:
    """Which blocks of keys each block of queries looks at.

    The window, the global blocks and random others. In an encoder the window lies around the block
    and the queries of global blocks look at everything; the causal pattern has the last blocks in
    its window, no query looks at a later step, and a global block is global as a key alone.

    Attributes:
        block: b, steps of a block.
        window: w, blocks in the window, the queries' own included; odd in an encoder.
        global_blocks: g, so many blocks at the beginning are global.
        random: r, random blocks of each head (fewer where there are not so many others).
        causal: whether no query looks at a later step.
        history: blocks from which a causal pattern draws, the queries' own included; 0 for all.
        seed: the same numbers give the same random blocks.

    Raises:
        MemupError: a number that is too small, or an even window in an encoder.
    """

    block: int
    window: int = 3
    global_blocks: int = 1
    random: int = 3
    causal: bool = False
    history: int = 0
    seed: tuple[int, ...] = (0,)

    def __post_init__(self):
        for name, low in (("block", 1), ("window", 1), ("global_blocks", 0), ("random", 0)):
            given = getattr(self, name)
            require(given >= low, f"{name}={given}: expected at least {low}")
        if not self.causal:
            require(
                self.window % 2 == 1,
                f"window={self.window}: expected an odd number of blocks, did you mean "
                f"{self.window + 1}?",
            )
        require(
            self.history == 0 or self.history >= self.window,
            f"history={self.history}: expected at least window={self.window} blocks, or 0",
        )

    def near(self, i: int, blocks: int) -> Iterable[int]:
        """Return the blocks in the window of block i, of so many in all."""
        if self.causal:
            return range(max(0, i - self.window + 1), i + 1)
        side = self.window // 2
        return range(max(0, i - side), min(blocks, i + side + 1))

    def others(self, i: int, blocks: int) -> list[int]:
        """Return the blocks among which block i has its random ones."""
        if not self.causal:
            near = self.near(i, blocks)
            return [j for j in range(self.global_blocks, blocks) if j not in near]
        oldest = max(0, i - self.history + 1) if self.history else 0
        return list(range(max(self.global_blocks, oldest), i - self.window + 1))

    @property
    def rows(self) -> tuple[int, int]:
        """Block i draws as block `row(i)` does: rows before a period begins, rows of the period.

        With a limited history all blocks from some on have equally many others, at the same
        distances, so that a table of distances serves an episode of any length.
        """
        return self.history + self.global_blocks, self.history

    def row(self, i: int) -> int:
        """Return the block whose random distances block i has."""
        begin, period = self.rows
        return i if not period or i < begin else begin + (i - begin) % period

    def drawn(self, head: int, i: int, blocks: int) -> list[int]:
        """Return the random blocks of block i, in ascending order."""
        others = self.others(i, blocks)
        generator = np.random.default_rng([*self.seed, head, self.row(i)])
        places = generator.permutation(len(others))[: self.random]
        return sorted(others[place] for place in places)

    def seen(self, head: int, i: int, blocks: int) -> list[int]:
        """Return the blocks that block i looks at, each once, in ascending order.

        The global blocks of an encoder, which look at all, are left to whoever asks.
        """
        given = range(min(self.global_blocks, i + 1 if self.causal else blocks))
        return sorted({*given, *self.near(i, blocks), *self.drawn(head, i, blocks)})


@lru_cache(maxsize=64)
def plan(pattern: Pattern, blocks: int, heads: int) -> Int[np.ndarray, "H N K"]:
    """Return the key blocks of each query block, -1 where a row has fewer than others.

    Args:
        pattern: what to look at.
        blocks: N.
        heads: H, each with random blocks of its own.
    """
    rows = [[pattern.seen(h, i, blocks) for i in range(blocks)] for h in range(heads)]
    widest = max(len(row) for of_head in rows for row in of_head)
    table = np.full((heads, blocks, widest), -1, np.int32)
    for h, of_head in enumerate(rows):
        for i, row in enumerate(of_head):
            table[h, i, : len(row)] = row
    table.setflags(write=False)
    return table


@lru_cache(maxsize=64)
def random_distances(pattern: Pattern, heads: int) -> Int[np.ndarray, "H rows r"]:
    """Return how many blocks back the random blocks lie, by `Pattern.row`; 0 where there is none.

    Args:
        pattern: causal, of limited history.
        heads: H.
    """
    table = np.zeros((heads, sum(pattern.rows), pattern.random), np.int32)
    for h in range(heads):
        for i in range(table.shape[1]):
            drawn = pattern.drawn(h, i, i + 1)
            table[h, i, : len(drawn)] = i - np.array(drawn, np.int32)
    table.setflags(write=False)
    return table


def dense_mask(pattern: Pattern, steps: int, heads: int) -> Bool[np.ndarray, "H n n"]:
    """Return which keys each query looks at: n x n numbers a head, to compare with only."""
    blocks = steps // pattern.block
    seen = np.zeros((heads, blocks, blocks), bool)
    for h, i in np.ndindex(heads, blocks):
        everything = not pattern.causal and i < pattern.global_blocks
        seen[h, i, range(blocks) if everything else pattern.seen(h, i, blocks)] = True
    mask = seen.repeat(pattern.block, 1).repeat(pattern.block, 2)
    return np.tril(mask) if pattern.causal else mask


def block_sparse_attention(
    q: Float[Array, "n H d"],
    k: Float[Array, "n H d"],
    v: Float[Array, "n H d"],
    pattern: Pattern,
    valid: Bool[Array, " n"] | None = None,
) -> Float[Array, "n H d"]:
    """Return softmax(q k^T / sqrt(d)) v under the pattern's mask, in O(n) time and memory.

    Args:
        q: queries.
        k: keys.
        v: values.
        pattern: what each query looks at.
        valid: False where a step is padding, which nobody looks at; None where none is.

    Raises:
        MemupError: the block does not divide n.
    """
    steps, heads, size = q.shape
    block = pattern.block
    require(
        steps > 0 and steps % block == 0,
        f"{steps} steps: expected a multiple of block={block}; pad to "
        f"{max(1, -(-steps // block)) * block} and say which are `valid`",
    )
    valid = jnp.ones(steps, bool) if valid is None else valid
    k, v = (jnp.where(valid[:, None, None], a, 0) for a in (k, v))
    q, k, v = (jnp.swapaxes(a, 0, 1) for a in (q * size**-0.5, k, v))
    everywhere = 0 if pattern.causal else min(steps, pattern.global_blocks * block)
    parts = []
    if everywhere:
        allowed = jnp.broadcast_to(valid[None], (everywhere, steps))
        scores = jnp.einsum("htd,hsd->hts", q[:, :everywhere], k)
        parts.append(safe_attention(scores, allowed, v)[0])
    if everywhere < steps:
        table = plan(pattern, steps // block, heads)[:, everywhere // block :]
        parts.append(_by_table(q[:, everywhere:], k, v, valid, table, pattern))
    return jnp.swapaxes(jnp.concatenate(parts, axis=1), 0, 1)


def _by_table(
    q: Float[Array, "H m d"],
    k: Float[Array, "H n d"],
    v: Float[Array, "H n d"],
    valid: Bool[Array, " n"],
    table: Int[np.ndarray, "H M K"],
    pattern: Pattern,
) -> Float[Array, "H m d"]:
    """Attend from the last M blocks, each to the blocks in its row of the table.

    The columns of the table are taken one after the other, and what is computed for one is
    computed again for its gradient instead of kept: memory holds the scores of one column.
    """
    heads, steps, size = q.shape
    q, k, v = (a.reshape(heads, -1, pattern.block, size) for a in (q, k, v))
    valid = valid.reshape(-1, pattern.block)
    inside = jnp.arange(pattern.block)
    number = jnp.arange(k.shape[1] - q.shape[1], k.shape[1])

    def scores(q: Array, k: Array, seen: Array) -> tuple[Array, Array]:
        """Return the scores of a column, [H, M, b, b], and which of them count."""
        of_keys = jax.vmap(lambda k, seen: k[seen])(k, jnp.maximum(seen, 0))
        allowed = (valid[jnp.maximum(seen, 0)] & (seen >= 0)[:, :, None])[:, :, None]
        if pattern.causal:
            age = (number[None] - seen)[:, :, None, None] * pattern.block
            allowed = allowed & (age + (inside[:, None] - inside[None])[None, None] >= 0)
        return jnp.einsum("hmtd,hmsd->hmts", q, of_keys), allowed

    def highest(best: Array, seen: Array) -> tuple[Array, None]:
        found, allowed = scores(jax.lax.stop_gradient(q), jax.lax.stop_gradient(k), seen)
        found = jnp.where(allowed, found, jnp.finfo(q.dtype).min)
        return jnp.maximum(best, jnp.max(found, axis=3)), None

    @jax.checkpoint
    def add(sums: tuple[Array, Array], seen: Array) -> tuple[tuple[Array, Array], None]:
        found, allowed = scores(q, k, seen)
        weight = jnp.where(allowed, jnp.exp(jnp.where(allowed, found - best[..., None], 0)), 0)
        of_values = jax.vmap(lambda v, seen: v[seen])(v, jnp.maximum(seen, 0))
        read = jnp.einsum("hmts,hmsd->hmtd", weight, of_values)
        return (sums[0] + read, sums[1] + jnp.sum(weight, axis=3)), None

    columns = jnp.asarray(np.moveaxis(table, 2, 0))
    lowest = jnp.full(q.shape[:3], jnp.finfo(q.dtype).min, q.dtype)
    best = jax.lax.scan(highest, lowest, columns)[0]
    (read, total), _ = jax.lax.scan(add, (jnp.zeros_like(q), jnp.zeros_like(best)), columns)
    return (read / jnp.where(total == 0, 1, total)[..., None]).reshape(heads, steps, size)
