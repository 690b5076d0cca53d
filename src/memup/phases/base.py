"""What a phase is, and the workspace that phases share."""

import abc
import hashlib
from dataclasses import dataclass, field
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.core.errors import MemupError
from memup.core.spaces import Space
from memup.core.types import Key, Metrics
from memup.data.store import EpisodeStore
from memup.tasks.base import AbstractTask

HELD_OUT_EVERY = 16
GIVE_UP_AFTER = 200


@dataclass
class Workspace:
    """What phases read and leave for each other.

    Attributes:
        env: environment, on the device or on the host; None for a dataset.
        store: the episodes.
        observation_space: what is seen.
        action_space: what is done; None where there are no actions and no rewards.
        seed: of every random choice.
        context: steps that a question shows.
        task: supervised task that fills the store, if one does.
        facts: what was measured on data once and decides shapes; plain JSON.
        results: arrays that finished phases leave, by name.
    """

    env: Any
    store: EpisodeStore
    observation_space: Space
    action_space: Space | None
    seed: int
    context: int = 1
    task: AbstractTask | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    results: dict[str, PyTree] = field(default_factory=dict)

    def close(self) -> None:
        """Close the environment, if it is one that is open; playing opens it again."""
        close = getattr(self.env, "close", None)
        if close is not None:
            close()

    def key(self, phase: str, count: int = 0) -> Key:
        """Return the key of the count-th piece of work of a phase.

        Keys depend on nothing else, so a run that was killed goes on with the same ones.
        """
        key = jax.random.key(self.seed % 2**32)
        for part in (self.seed >> 32, _number(phase) % 2**32, count):
            key = jax.random.fold_in(key, part)
        return key

    def rng(self, phase: str, count: int = 0) -> np.random.Generator:
        """Return the host's generator for the count-th piece of work of a phase."""
        return np.random.default_rng([self.seed, _number(phase), count])

    def split_ids(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ids of the live episodes to train on and of those held out; see `split`."""
        return split(self.store.ids)


def split(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return ids to train on and ids to hold out (one in 16); all of them twice if none can be.

    Held out is an id whose hash says so: in step with no regular order of the data.
    """
    held = _hashed(ids) % HELD_OUT_EVERY == 0
    if held.all() or not held.any():
        return ids, ids
    return ids[~held], ids[held]


def _hashed(ids: np.ndarray) -> np.ndarray:
    """Mix the bits of ids (the finaliser of MurmurHash3)."""
    x = ids.astype(np.uint64)
    with np.errstate(over="ignore"):
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            x = (x ^ (x >> np.uint64(33))) * np.uint64(factor)
    return x ^ (x >> np.uint64(33))


def _number(name: str) -> int:
    """Return 64 bits of a hash of the whole name: different uses draw from different streams."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


class AbstractPhase(abc.ABC):
    """A part of a run, made of pieces of work (advances) of a second or so.

    Attributes:
        name: what metrics call it.
    """

    name: str

    def prepare(self, workspace: Workspace) -> None:
        """Make what the phase works with; measure facts that are not yet known."""

    @abc.abstractmethod
    def start(self, workspace: Workspace) -> PyTree:
        """Return the state before the first advance: arrays only."""

    @abc.abstractmethod
    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Do the next piece of work. Return the state, metrics, and whether it was the last."""

    def finish(self, workspace: Workspace, state: PyTree) -> None:
        """Do what must be done once, after the last advance."""

    def restore(self, workspace: Workspace) -> None:
        """Do again, from its results, what a finished phase left where no checkpoint keeps it."""

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """Return what later phases need, by name."""
        return {}


def check_finite(in_a_row: Any, phase: str) -> None:
    """Raise MemupError if too many updates in a row were skipped."""
    worst = int(np.max(np.asarray(in_a_row)))
    if worst >= GIVE_UP_AFTER:
        raise MemupError(
            f"{phase}: the last {worst} updates were not finite and were skipped; "
            "expected finite losses: lower the learning rate or look for extreme values in the data"
        )
