"""A round while it is played: the first episodes of every copy, on their way into the store."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Bool, Int

from memup.acting.rollout import Stretch
from memup.acting.stats import EpisodeStats
from memup.core.spaces import Discrete, Leaf, MultiDiscrete, Space, flatten, split
from memup.core.types import Action, TimeStep
from memup.data.store import EpisodeStore
from memup.data.store_files import writing

HELD_BYTES = 32 * 2**20


class EpisodeRecorder:
    """Takes the stretches of a round in the order of time: W whole episodes of every copy.

    Where the store is on disk, what is held in memory is bounded: long episodes wait in files of a
    scratch folder, one for each copy and field.

    Args:
        observation_space: what is seen.
        action_space: what is done.
        stats: of no episode yet; it says how many copies there are and how many episodes of each
            are recorded.
        store: where the episodes will go.
        valued: keep the agent's values too, 0 where it has none.

    Attributes:
        stats: how the recorded episodes went.
        steps: environment steps played in all copies, recorded or not.
    """

    def __init__(
        self,
        observation_space: Space,
        action_space: Space,
        stats: EpisodeStats,
        store: EpisodeStore,
        valued: bool = False,
    ):
        self.observation_space, self.action_space = observation_space, action_space
        self.stats, self.store, self.valued = stats, store, valued
        self.steps = 0
        self._held = 0
        self._parts: list[tuple[dict[str, np.ndarray], Bool[np.ndarray, "S B"]]] = []
        self._scratch: Path | None = None
        self._kinds: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}

    @property
    def over(self) -> bool:
        """Whether every copy has ended its episodes."""
        return bool(np.all(self.stats.over))

    @property
    def lengths(self) -> Int[np.ndarray, "B W"]:
        """Steps to store of every recorded episode, one more than its actions."""
        return np.asarray(self.stats.lengths, np.int64) + 1

    def add(self, stretch: Stretch, stats: EpisodeStats, value: Array | None = None) -> None:
        """Take a stretch, how episodes went with it, and the agent's values of its steps, [S, B].

        All of the stretch's steps must have been played.
        """
        self.stats = stats
        step: TimeStep = jax.tree.map(np.asarray, stretch.step)
        inside = np.asarray(stretch.counted)
        fields = split(self.observation_space, step.obs)
        fields |= stored_actions(self.action_space, stretch.action)
        fields["reward"], fields["terminated"] = step.reward, step.terminated
        if self.valued:
            given = np.zeros(inside.shape) if value is None else value
            fields["value"] = np.asarray(given, np.float32)
        self._parts.append((fields, inside))
        self.steps += inside.size
        self._held += sum(f.nbytes for f in fields.values())
        if self._held > HELD_BYTES and self.store.path is not None:
            self._spill(self.store.path)

    def add_to_store(self) -> Int[np.ndarray, " N"]:
        """Add the episodes to the store, those of a copy one after the other; return their ids."""
        self.store.describe(self.observation_space, self.action_space)
        if self._scratch is None:
            return self.store.extend(self._laid(), self.lengths.ravel())
        self._spill(self._scratch.parent)
        ids = [self.store.add(e) for row in range(len(self.lengths)) for e in self._read(row)]
        shutil.rmtree(self._scratch)
        return np.array(ids)

    def _laid(self) -> dict[str, np.ndarray]:
        """Lay the episodes end to end."""
        inside = np.concatenate([mine for _, mine in self._parts]).T

        def lay(name: str) -> np.ndarray:
            column = np.concatenate([fields[name] for fields, _ in self._parts])
            return np.swapaxes(column, 0, 1)[inside]

        return {name: lay(name) for name in self._parts[0][0]}

    def _spill(self, folder: Path) -> None:
        """Append what is held to the files of its copies."""
        if self._scratch is None:
            self._scratch = folder / "scratch"
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
        parts, self._parts, self._held = self._parts, [], 0
        if not parts:
            return
        self._kinds = {name: (f.dtype, f.shape[2:]) for name, f in parts[0][0].items()}
        for name in self._kinds:
            column = np.concatenate([fields[name] for fields, _ in parts])
            inside = np.concatenate([mine for _, mine in parts])
            for row in np.flatnonzero(inside.any(axis=0)).tolist():
                path = self._file(row, name)
                with writing(path), path.open("ab") as file:
                    file.write(column[inside[:, row], row].tobytes())

    def _read(self, row: int) -> Iterator[dict[str, np.ndarray]]:
        """Map one copy's episodes."""
        fields = {
            name: np.memmap(self._file(row, name), dtype, "r").reshape(-1, *tail)
            for name, (dtype, tail) in self._kinds.items()
        }
        stops = np.cumsum(self.lengths[row])
        for start, stop in zip([0, *stops[:-1]], stops, strict=True):
            yield {name: field[start:stop] for name, field in fields.items()}

    def _file(self, row: int, name: str) -> Path:
        assert self._scratch is not None
        return self._scratch / f"{row}-{name}"


def stored_actions(space: Space, action: Action) -> dict[str, np.ndarray]:
    """Name the leaves of actions [S, B, ...]; few actions take one byte."""
    leaves = split(space, action, "action")
    kinds = {name: _narrow(leaf) for name, leaf in flatten(space, "action").items()}
    return {name: np.asarray(leaves[name]).astype(kind) for name, kind in kinds.items()}


def _narrow(leaf: Leaf) -> np.dtype:
    if isinstance(leaf, Discrete | MultiDiscrete):
        most = leaf.n if isinstance(leaf, Discrete) else max(leaf.nvec, default=0)
        return np.dtype(np.int8 if most <= 128 else np.int32)
    return np.dtype(leaf.dtype)
