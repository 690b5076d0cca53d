"""A round while it is played: the first episode of every copy, on its way into the store."""

import shutil
from pathlib import Path

import jax
import numpy as np
from jaxtyping import Array, Bool, Int

from memup.core.spaces import Discrete, Leaf, MultiDiscrete, Space, flatten, split
from memup.core.types import Action, TimeStep, Trajectory
from memup.data.store import EpisodeStore
from memup.data.store_files import writing

HELD_BYTES = 32 * 2**20


class Outcomes:
    """How the first episode of every copy goes, from stretches in the order of time.

    Args:
        batch: B copies, each of which plays one episode.

    Attributes:
        lengths: steps of each copy's episode, [B]; 0 while it runs.
        total: its return so far, [B].
        success: its success, NaN until it has ended, [B].
    """

    def __init__(self, batch: int):
        self.lengths = np.zeros(batch, np.int64)
        self.total = np.zeros(batch)
        self.success = np.full(batch, np.nan)
        self._seen = 0

    def see(self, step: TimeStep) -> Bool[np.ndarray, "S B"]:
        """Take a stretch, numpy leaves [S, B, ...]; say which steps are of the first episodes."""
        ended = step.terminated | step.truncated
        inside = (np.cumsum(ended, axis=0) - ended == 0) & (self.lengths == 0)[None]
        ends = inside & ended
        new = ends.any(axis=0)
        self.lengths[new] = self._seen + ends.argmax(axis=0)[new] + 1
        self.total += np.where(inside, step.reward, 0.0).sum(axis=0)
        at_end = np.where(ends, step.success, 0.0).sum(axis=0)  # elsewhere it may be NaN
        self.success = np.where(new, at_end, self.success)
        self._seen += len(ended)
        return inside


class EpisodeRecorder(Outcomes):
    """Takes the stretches of a round in the order of time.

    Where the store is on disk, what is held in memory is bounded: long episodes wait in files of a
    scratch folder, one for each copy and field.

    Args:
        observation_space: what is seen.
        action_space: what is done.
        batch: B copies, each of which plays one episode.
        store: where the episodes will go.
        valued: keep the agent's values too, 0 where it has none.

    Attributes:
        steps: environment steps taken in all copies, those after an end included.
    """

    def __init__(
        self,
        observation_space: Space,
        action_space: Space,
        batch: int,
        store: EpisodeStore,
        valued: bool = False,
    ):
        super().__init__(batch)
        self.observation_space, self.action_space = observation_space, action_space
        self.store, self.valued = store, valued
        self.steps = 0
        self._held = 0
        self._parts: list[tuple[dict[str, np.ndarray], Bool[np.ndarray, "S B"]]] = []
        self._scratch: Path | None = None
        self._kinds: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}

    def add(self, trajectory: Trajectory, value: Array | None = None) -> None:
        """Take a stretch, leaves [S, B, ...], and the agent's values of its steps, [S, B]."""
        step: TimeStep = jax.tree.map(np.asarray, trajectory.step)
        inside = self.see(step)
        fields = split(self.observation_space, step.obs)
        fields |= stored_actions(self.action_space, trajectory.action)
        fields["reward"], fields["terminated"] = step.reward, step.terminated
        if self.valued:
            given = np.zeros(inside.shape) if value is None else value
            fields["value"] = np.asarray(given, np.float32)
        self._parts.append((fields, inside))
        self.steps += inside.size
        self._held += sum(f.nbytes for f in fields.values())
        if self._held > HELD_BYTES and self.store.path is not None:
            self._spill(self.store.path)

    def add_to_store(self) -> Int[np.ndarray, " B"]:
        """Add the episodes to the store; return their ids."""
        if self._scratch is None:
            return self.store.extend(self._laid(), self.lengths)
        self._spill(self._scratch.parent)
        ids = [self.store.add(self._read(row)) for row in range(len(self.lengths))]
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

    def _read(self, row: int) -> dict[str, np.ndarray]:
        """Map one copy's episode."""
        return {
            name: np.memmap(self._file(row, name), dtype, "r").reshape(-1, *tail)
            for name, (dtype, tail) in self._kinds.items()
        }

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
