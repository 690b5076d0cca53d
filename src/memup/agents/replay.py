"""Prioritised replay of sequences, kept by the library flashbax (Schaul et al. 2016, 1511.05952).

The arrays lie in the agent's state. A new sequence has the highest priority that was ever seen, so
that each is replayed at least about once.

flashbax is optional: `pip install 'memup[replay]'`.
"""

import importlib
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PyTree

from memup.core.errors import MemupError, require
from memup.core.types import Key

LEAST = 1e-6


class Sample(NamedTuple):
    """Replayed sequences.

    Attributes:
        items: leaves [N, ...].
        index: where they lie, [N].
        probability: with which each was drawn, [N].
    """

    items: PyTree
    index: Int[Array, " N"]
    probability: Float[Array, " N"]


class Replay:
    """Keeps the newest sequences and draws some of them by priority.

    Args:
        capacity: sequences kept.
        batch: N, sequences in a sample.
        exponent: of priorities; 0 draws evenly.

    Raises:
        MemupError: flashbax is not installed.
    """

    def __init__(self, capacity: int, batch: int, exponent: float):
        try:
            flashbax = importlib.import_module("flashbax")
        except ModuleNotFoundError:
            raise MemupError(
                "agent 'r2d2' needs the package flashbax: pip install 'memup[replay]'"
            ) from None
        self.capacity = capacity
        self._buffer = flashbax.make_prioritised_item_buffer(
            capacity, 1, batch, add_batches=True, priority_exponent=exponent
        )

    def init(self, item: PyTree) -> PyTree:
        """Return an empty replay of items like this one."""
        return self._buffer.init(item)

    def add(self, state: PyTree, items: PyTree) -> PyTree:
        """Add sequences, leaves [n, ...]; the oldest ones make room."""
        count = jax.tree.leaves(items)[0].shape[0]
        require(
            count <= self.capacity,
            f"agent.replay: it holds {self.capacity} sequences and one rollout has {count}; "
            "expected room for one rollout: raise agent.replay, or lower agent.environments or "
            "agent.rollout",
        )
        # flashbax adds arrays of unequal rank on purpose.
        with jax.numpy_rank_promotion("allow"):
            return self._buffer.add(state, items)

    def sample(self, state: PyTree, *, key: Key) -> Sample:
        """Draw sequences by priority."""
        with jax.numpy_rank_promotion("allow"):
            drawn = self._buffer.sample(state, key)
        return Sample(drawn.experience, drawn.indices, drawn.probabilities)

    def set_priorities(
        self, state: PyTree, index: Int[Array, " N"], priority: Float[Array, " N"]
    ) -> PyTree:
        """Give sequences new priorities, at least a little above 0; that least where not finite."""
        sound = jnp.where(jnp.isfinite(priority), jnp.maximum(priority, LEAST), LEAST)
        return self._buffer.set_priorities(state, index, sound)


def importance(probability: Float[Array, " N"], exponent: float) -> Float[Array, " N"]:
    """Return the weights that undo the preference for high priorities, 1 at most (section 3.4)."""
    safe = jnp.maximum(probability, 1e-12)
    return (jnp.min(safe) / safe) ** exponent
