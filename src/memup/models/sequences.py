"""Sequences that a model is asked about: checked, and read a block at a time."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import PyTree

from memup.build.blueprint import Blueprint
from memup.core.errors import MemupError, require
from memup.core.spaces import Box, Leaf, flatten, join, leaf_bytes
from memup.core.types import Query, StepInput
from memup.data.store import EpisodeStore
from memup.models.fields import convert, leaves_of

ROWS = 64
LONGEST_BLOCK = 512
BLOCK_BYTES = 64 << 20
OUTPUT_BYTES = 256 << 20

Given = str | Path | EpisodeStore | Sequence[Any]


class Sequences:
    """Sequences of one kind, in memory or on disk; only what is asked for is read.

    Args:
        given: a store, its path, or a list of sequences. A sequence is a dict of arrays [T, ...]
            as a store has them ("obs", or "obs.cue" and so on or a nested "obs"; "action" and
            "reward" where the model reads them), or just the array of observations.
        blueprint: of the model that is asked.

    Raises:
        MemupError: a field is missing or of another shape.
    """

    def __init__(self, given: Given, blueprint: Blueprint):
        self.blueprint = blueprint
        self.leaves: dict[str, Leaf] = flatten(blueprint.observation_space)
        if blueprint.action_space is not None:
            self.leaves |= flatten(blueprint.action_space, "action") | {"reward": Box(())}
        store = EpisodeStore.open(given) if isinstance(given, str | Path) else given
        if isinstance(store, EpisodeStore):
            ids = store.ids
            self._get, self.count = lambda i: store.episode(int(ids[i])), len(ids)
        else:
            listed = [self._fields(i, one) for i, one in enumerate(self._listed(store))]
            self._get, self.count = listed.__getitem__, len(listed)
        self.lengths = np.array([self._length(i) for i in range(self.count)], np.int64)

    def _listed(self, given: Any) -> Sequence[Any]:
        require(
            not isinstance(given, Mapping) and hasattr(given, "__len__"),
            f"sequences are {type(given).__name__}; expected a list of dicts of arrays, a store or "
            "its path",
        )
        return given

    def _fields(self, number: int, one: Any) -> Mapping[str, Any]:
        where = f"sequence {number}"
        if not isinstance(one, Mapping):
            return leaves_of(self.blueprint.observation_space, one, where)
        spaces = {"obs": self.blueprint.observation_space, "action": self.blueprint.action_space}
        nested = [n for n in spaces if n in one and n not in self.leaves and spaces[n] is not None]
        for name in nested:
            one = {**one, **leaves_of(spaces[name], one[name], where, name)}
        return one

    def _length(self, number: int) -> int:
        """Return the steps of a sequence; its fields are there and of the right shapes."""
        fields, steps = self._get(number), None
        for name, leaf in self.leaves.items():
            if name not in fields:
                raise MemupError(
                    f"sequence {number} has no field {name!r}: it has {', '.join(fields)}; "
                    f"expected {', '.join(self.leaves)}"
                )
            shape = np.shape(fields[name])
            wanted = ("T" if steps is None else steps, *leaf.shape)
            if (
                len(shape) != len(wanted)
                or shape[1:] != leaf.shape
                or steps not in (None, shape[0])
            ):
                raise MemupError(
                    f"sequence {number}: field {name!r} has shape {list(shape)}; expected "
                    f"[{', '.join(map(str, wanted))}]"
                )
            steps = shape[0]
        require(bool(steps), f"sequence {number} has no steps; expected at least one")
        return int(steps or 0)

    def check(self, count: int) -> None:
        """Raise MemupError unless every value of the first sequences is in its space."""
        for number in range(count):
            for name in self.leaves:
                self.field(number, name, slice(None))

    def field(self, number: int, name: str, steps: Any) -> np.ndarray:
        """Return some steps (a slice or indices) of a field, checked: [n, ...]."""
        leaf, value = self.leaves[name], np.asarray(self._get(number)[name][steps])
        axes = ("n",) * (value.ndim - len(leaf.shape))
        return convert(name, leaf, value, axes, f"sequence {number}")

    def batches(self, output_bytes: int) -> Iterator[list[int]]:
        """Yield the numbers of sequences to read together, of about one length.

        Args:
            output_bytes: what is kept of a step.
        """
        order = np.argsort(self.lengths, kind="stable")
        while len(order):
            # The longest one of so many decides how large the batch is.
            for rows in (ROWS, ROWS // 4, 1):
                longest = int(self.lengths[order[:rows]].max())
                if rows * longest * output_bytes <= OUTPUT_BYTES:
                    break
            yield order[:rows].tolist()
            order = order[rows:]

    def block(self, numbers: list[int], rows: int, start: int, width: int) -> StepInput:
        """Read steps [start, start + width) of some sequences: leaves [rows, width, ...].

        What lies behind the end of a sequence is zero, as are the rows beyond the sequences.
        """
        read = partial(self._padded, numbers, rows, start, width)
        reward, first = np.zeros((rows, width), np.float32), np.zeros((rows, width), bool)
        if self.blueprint.action_space is not None:
            reward = read("reward")
        first[:, 0] = start == 0
        obs = self._tree("obs", read)
        return StepInput(obs, self._tree("action", partial(read, behind=1)), reward, first)

    def _tree(self, prefix: str, read: Callable[[str], np.ndarray]) -> PyTree:
        """Return an observation or an action whose leaves are read by name; () where none are."""
        blueprint = self.blueprint
        space = blueprint.observation_space if prefix == "obs" else blueprint.action_space
        if space is None:
            return ()
        return join(space, {n: read(n) for n in flatten(space, prefix)}, prefix)

    def _padded(
        self, numbers: list[int], rows: int, start: int, width: int, name: str, behind: int = 0
    ) -> np.ndarray:
        """Return a field as it was so many steps before."""
        leaf = self.leaves[name]
        out = np.zeros((rows, width, *leaf.shape), leaf.dtype)
        for row, number in enumerate(numbers):
            low, high = max(start - behind, 0), start + width - behind
            high = min(high, int(self.lengths[number]) - behind)
            if high > low:
                at = low + behind - start
                out[row, at : at + high - low] = self.field(number, name, slice(low, high))
        return out

    def question(self, number: int, steps: np.ndarray) -> Query:
        """Look up the local questions of some steps of a sequence; leaves [n, ...]."""
        length = self.blueprint.query_length
        seen = steps
        if length > 1:  # before a sequence begins its first step is repeated
            seen = np.maximum(steps[:, None] - np.arange(length)[::-1], 0)
        obs = self._tree("obs", lambda name: self.field(number, name, seen))
        return Query(obs, self._tree("action", lambda name: self.field(number, name, steps)))


def block_shape(sequences: Sequences, numbers: list[int]) -> tuple[int, int]:
    """Return rows and steps of a block: powers of two, so that few shapes are compiled."""
    rows = _power(len(numbers))
    width = min(_power(int(sequences.lengths[numbers].max())), LONGEST_BLOCK)
    step_bytes = rows * step_size(sequences.blueprint)
    while width > 1 and width * step_bytes > BLOCK_BYTES:
        width //= 2
    return rows, width


def step_size(blueprint: Blueprint) -> int:
    """Return the bytes of one step, as it is stored and as floats."""
    return leaf_bytes(blueprint.observation_space) + 4 * blueprint.observation_space.size


def _power(count: int) -> int:
    return 1 << max(0, count - 1).bit_length()
