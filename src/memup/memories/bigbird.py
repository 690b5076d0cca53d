"""Block-sparse attention over an agent's history (Zaheer et al. 2020, arXiv 2007.14062), causal."""

from dataclasses import replace
from functools import partial
from typing import final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from memup.core.errors import require
from memup.core.types import Key
from memup.memories.base import AbstractParallel
from memup.memories.history import HistoryState, Steps, keep, look_up, place
from memup.nn.transformer import FeedForward, Heads, Norm, sinusoids
from memup.ops.attention import safe_attention
from memup.ops.block_sparse import Pattern, random_distances


@final
class Block(eqx.Module):
    """x + A(LN(x)), then x + F(LN(x)), where A looks at the blocks of a causal pattern.

    New steps are taken in chunks that are no longer than a block. A chunk meets at most two blocks
    of the episode that runs at its beginning, so two draws of random blocks serve all its queries;
    a step whose episode begins inside the chunk sees all of that episode in the chunk itself.

    Args:
        size: D.
        heads: H.
        pattern: causal, of limited history.
        key: for the initial weights.
    """

    norm_attention: Norm
    attention: Heads
    norm_forward: Norm
    forward: FeedForward
    pattern: Pattern = eqx.field(static=True)

    def __init__(self, size: int, heads: int, pattern: Pattern, *, key: Key):
        keys = jax.random.split(key)
        self.norm_attention, self.norm_forward = Norm(size), Norm(size)
        self.attention = Heads(size, heads, key=keys[0])
        self.forward = FeedForward(size, key=keys[1])
        self.pattern = pattern

    @property
    def opening(self) -> int:
        """G, steps of the global blocks."""
        return self.pattern.global_blocks * self.pattern.block

    def __call__(
        self, old: Float[Array, "SG D"], new: Float[Array, "T D"], steps: Steps
    ) -> Float[Array, "T D"]:
        """Read T new rows, with those of the state before; see HistoryState."""
        total = new.shape[0]
        chunks = -(-total // self.pattern.block)
        length = -(-total // chunks)
        # What is padded stands behind all real steps, so none of them can see it.
        late = chunks * length - total
        padded = [jnp.pad(a, (0, late), mode="edge").reshape(chunks, length) for a in steps]
        rows = jnp.pad(new, ((0, late), (0, 0))).reshape(chunks, length, -1)
        of_chunk = partial(self._chunk, old, new)
        begin = jnp.arange(chunks) * length
        read = jax.vmap(of_chunk)(rows, Steps(*padded), begin).reshape(chunks * length, -1)
        h = new + read[:total]
        return h + self.forward(self.norm_forward(h))

    def _chunk(
        self,
        old: Float[Array, "SG D"],
        new: Float[Array, "T D"],
        own: Float[Array, "c D"],
        steps: Steps,
        begin: Int[Array, ""],
    ) -> Float[Array, "c D"]:
        """Attend from the steps of a chunk that begins at new[begin]."""
        find = partial(look_up, old, new, begin=begin - steps.position[0], opening=self.opening)
        near, near_seen = self._near(steps)
        near_rows = find(at=near, exists=near_seen.any(0))
        normed = self.norm_attention(jnp.concatenate([near_rows, own]))
        q = jnp.swapaxes(self.attention.queries(normed[-own.shape[0] :]), 0, 1)
        k, v = (jnp.swapaxes(a, 0, 1) for a in self.attention.keys_and_values(normed))
        shared = jnp.concatenate([near_seen, self._own(steps)], axis=1)
        seen = jnp.broadcast_to(shared[None], (q.shape[0], *shared.shape))
        if self.pattern.random:
            far, far_seen = self._far(steps)
            k_far, v_far = self._project(find(at=far, exists=far_seen.any(1)))
            k, v = jnp.concatenate([k, k_far], axis=1), jnp.concatenate([v, v_far], axis=1)
            seen = jnp.concatenate([seen, far_seen], axis=2)
        scores = jnp.einsum("htd,hsd->hts", q * q.shape[2] ** -0.5, k)
        read = jax.vmap(safe_attention)(scores[:, None], seen, v[:, None])[0]
        return self.attention.join(jnp.swapaxes(read[:, 0], 0, 1))

    def _project(
        self, rows: Float[Array, "H s D"]
    ) -> tuple[Float[Array, "H s d"], Float[Array, "H s d"]]:
        """Return keys and values of rows that each head has of its own."""
        heads, size = rows.shape[0], rows.shape[2]
        normed = self.norm_attention(rows.reshape(-1, size)).reshape(rows.shape)
        weight = self.attention.weight_kv.reshape(size, 2, heads, size // heads)
        both = jnp.einsum("hsi,ikhd->khsd", normed, weight)
        return both[0], both[1]

    def _near(self, steps: Steps) -> tuple[Int[Array, " s"], Bool[Array, "c s"]]:
        """Return the positions of global blocks and window before the chunk, and who sees them."""
        block, window = self.pattern.block, self.pattern.window
        now = steps.position[0]
        start = (now // block - window + 1) * block
        given, recent = jnp.arange(self.opening), start + jnp.arange(window * block)
        at = jnp.concatenate([given, recent])
        once = (at >= self.opening) | (jnp.arange(at.shape[0]) < self.opening)
        exists = once & (at >= 0) & (at < now)
        running = steps.episode == steps.episode[0]
        return at, exists[None] & running[:, None] & self._reaches(steps.position, at)

    def _own(self, steps: Steps) -> Bool[Array, "c c"]:
        """Return who sees whom inside the chunk, without the random blocks."""
        same = steps.episode[:, None] == steps.episode[None]
        within = jnp.arange(same.shape[0])
        causal = within[:, None] >= within[None]
        return same & causal & self._reaches(steps.position, steps.position)

    def _reaches(self, query: Int[Array, " c"], at: Int[Array, " s"]) -> Bool[Array, "c s"]:
        """Return whether a position is in a global block or in a query's window."""
        back = query[:, None] // self.pattern.block - at[None] // self.pattern.block
        return (back < self.pattern.window) | (at < self.opening)[None]

    def _far(self, steps: Steps) -> tuple[Int[Array, "H s"], Bool[Array, "H c s"]]:
        """Return the positions of each head's random blocks, and who sees them."""
        block, heads = self.pattern.block, self.attention.heads
        of_query = steps.position // block
        # One step alone meets one block.
        numbers = of_query[0] + jnp.arange(min(2, of_query.shape[0]))
        begin, period = self.pattern.rows
        row = jnp.where(numbers < begin, numbers, begin + (numbers - begin) % period)
        back = jnp.asarray(random_distances(self.pattern, heads))[:, row]
        start = (numbers[None, :, None] - back) * block
        at = start[..., None] + jnp.arange(block)[None, None, None]
        running = steps.episode == steps.episode[0]
        asks = running[:, None] & (of_query[:, None] == numbers[None])
        seen = asks[None, :, :, None, None] & (back > 0)[:, None, :, :, None]
        seen = jnp.broadcast_to(seen, (*seen.shape[:-1], block))
        return at.reshape(heads, -1), seen.reshape(heads, of_query.shape[0], -1)


@final
class BigBird(AbstractParallel):
    """Causal attention to a window of blocks, the episode's first block and random blocks.

    A step in block i of its episode (steps i b to i b + b - 1) sees, in each of L layers, what came
    before it in the last w blocks, in the first g and in r others, which the seed draws for each
    layer and head among the last `history` steps; the draw does not change while training. Steps
    older than that are lost, but for the first g blocks, and of those kept a layer sees only some:
    what no draw holds at the moment that needs it reaches it through another layer, or not at all.
    Work a step does not depend on the episode's length.

    Args:
        input_size: I, floats a step.
        size: D, a multiple of `heads`.
        block: b, steps of a block.
        window: w, blocks in the window, the present one included.
        global_blocks: g.
        random: r.
        history: S, steps that are kept; a multiple of `block`.
        layers: L.
        heads: H.
        seed: of the random blocks.
        key: for the initial weights.

    Raises:
        MemupError: the heads do not divide the size, or the block the history, or the history is
            shorter than the window.
    """

    embed: eqx.nn.Linear
    blocks: tuple[Block, ...]
    norm: Norm
    history: int = eqx.field(static=True)
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self,
        input_size: int,
        size: int,
        block: int,
        window: int,
        global_blocks: int,
        random: int,
        history: int,
        layers: int,
        heads: int,
        seed: int,
        *,
        key: Key,
    ):
        require(
            history % block == 0,
            f"memory.history={history}: expected a multiple of memory.block={block}",
        )
        require(
            history >= window * block,
            f"memory.history={history}: expected at least memory.window={window} blocks of "
            f"{block} steps",
        )
        self.input_size, self.output_size, self.history = input_size, size, history
        pattern = Pattern(block, window, global_blocks, random, True, history // block)
        keys = jax.random.split(key, layers + 1)
        self.embed = eqx.nn.Linear(input_size, size, key=keys[0])
        patterns = [replace(pattern, seed=(seed, layer)) for layer in range(layers)]
        self.blocks = tuple(
            Block(size, heads, p, key=k) for p, k in zip(patterns, keys[1:], strict=True)
        )
        self.norm = Norm(size)

    def initial_state(self) -> HistoryState:
        """Return a history without steps."""
        kept = self.history + self.blocks[0].opening
        rows = jnp.zeros((len(self.blocks), kept, self.output_size), self.embed.bias.dtype)
        return HistoryState(rows, jnp.zeros((), rows.dtype))

    def unroll(
        self,
        state: HistoryState,
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[HistoryState, Float[Array, "T D"]]:
        """Read T inputs; see AbstractMemory."""
        # Later beginnings need no such care: there the old rows are masked.
        state = jax.tree.map(lambda a: jnp.where(first[0], 0, a), state)
        steps = place(state.count, first)
        h = jax.vmap(self.embed)(xs)
        h = h + sinusoids(steps.position.astype(h.dtype), h.shape[1])
        after = []
        for block, old in zip(self.blocks, state.rows, strict=True):
            after.append(keep(old, h, steps, block.opening))
            h = block(old, h, steps)
        count = (steps.position[-1] + 1).astype(state.count.dtype)
        return HistoryState(jnp.stack(after), count), self.norm(h)
