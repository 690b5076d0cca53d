"""Adding: the sum of the two marked numbers of a long row (Hochreiter and Schmidhuber 1997)."""

from dataclasses import dataclass

import numpy as np

from memup.core.spaces import Box
from memup.tasks.base import AbstractTask, Sequences


@dataclass(frozen=True)
class Adding(AbstractTask):
    """Every step shows a number in [0, 1) and a mark, which is 1 at one step of each half.

    The last step asks for the sum of the marked numbers. Chance, the constant 1, has a mean squared
    error of 1/6.

    Attributes:
        length: T, at least 2.
    """

    length: int
    dense = False

    @property
    def space(self) -> Box:
        """[number, mark]."""
        return Box((2,), "float32", 0, 1)

    @property
    def steps(self) -> int:
        """T."""
        return self.length

    def draw(self, count: int, rng: np.random.Generator, test: bool = False) -> Sequences:
        """See AbstractTask."""
        half, every = self.length // 2, np.arange(count)
        obs = np.zeros((count, self.length, 2), np.float32)
        obs[..., 0] = rng.random((count, self.length), np.float32)
        label = np.zeros((count, self.length), np.float32)
        for low, high in ((0, half), (half, self.length)):
            place = rng.integers(low, high, size=count)
            obs[every, place, 1] = 1
            label[:, -1] += obs[every, place, 0]
        asked = np.zeros((count, self.length), bool)
        asked[:, -1] = True
        return Sequences({"obs": obs}, label, asked)
