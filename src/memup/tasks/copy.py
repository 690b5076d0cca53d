"""Copy: hold ten symbols over many blanks (Hochreiter and Schmidhuber 1997; MemUP's Copy-1020)."""

import abc
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int

from memup.core.spaces import Discrete
from memup.tasks.base import AbstractTask, Sequences
from memup.tasks.places import places

SYMBOLS = 10
KINDS = 8
BLANK = 8
GO = 9


def _laid(said: Int[np.ndarray, "N S"], heard: Int[np.ndarray, "N L"]) -> Sequences:
    """Ask for symbols at the end of what was heard; elsewhere the label is blank."""
    count, length = heard.shape
    asked = np.zeros((count, length + SYMBOLS), bool)
    asked[:, length:] = True
    obs = np.concatenate([heard, np.full((count, SYMBOLS), GO, np.int8)], axis=1)
    label = np.full(obs.shape, BLANK, np.int8)
    label[:, length:] = said
    return Sequences({"obs": obs}, label, asked)


@dataclass(frozen=True)
class AbstractCopy(AbstractTask):
    """Ten symbols of eight among M blanks, then ten steps that ask for them in order; T = M + 20.

    The asking steps look alike: which symbol one asks for shows only with the steps before it.

    Attributes:
        blanks: M.
    """

    blanks: int

    @property
    def space(self) -> Discrete:
        """Eight symbols, the blank, and "go"."""
        return Discrete(GO + 1, "int8")

    @property
    def steps(self) -> int:
        """M + 20."""
        return self.blanks + 2 * SYMBOLS

    @abc.abstractmethod
    def _places(self, count: int, rng: np.random.Generator) -> Int[np.ndarray, "N S"]:
        """Return where the symbols stand among the first M + 10 steps, ascending."""

    def draw(self, count: int, rng: np.random.Generator, test: bool = False) -> Sequences:
        """See AbstractTask."""
        said = rng.integers(KINDS, size=(count, SYMBOLS), dtype=np.int8)
        heard = np.full((count, self.blanks + SYMBOLS), BLANK, np.int8)
        np.put_along_axis(heard, self._places(count, rng), said, axis=1)
        return _laid(said, heard)


@final
class Copy(AbstractCopy):
    """The symbols come first, then all blanks."""

    def _places(self, count: int, rng: np.random.Generator) -> Int[np.ndarray, "N S"]:
        return np.broadcast_to(np.arange(SYMBOLS), (count, SYMBOLS))


@final
class ScatteredCopy(AbstractCopy):
    """The symbols stand at random places among the blanks."""

    def _places(self, count: int, rng: np.random.Generator) -> Int[np.ndarray, "N S"]:
        return places(count, self.blanks + SYMBOLS, SYMBOLS, rng)
