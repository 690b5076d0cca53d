"""Recall by a name: say what was shown beside it long ago."""

from dataclasses import dataclass

import numpy as np

from memup.core.spaces import Dict, Discrete
from memup.tasks.base import AbstractTask, Sequences
from memup.tasks.places import places

KINDS = 8
NOISE = 8
CUES = 4


@dataclass(frozen=True)
class AssociativeRecall(AbstractTask):
    """Pairs of a name and a value, M blanks, then every name once more: say its value.

    Names and orders are drawn anew for each sequence: P of 2P names, each with one of eight
    values; T = 2P + M. Asked in this way, one sequence holds 3P bits beside the names.

    Attributes:
        pairs: P.
        blanks: M.
    """

    pairs: int
    blanks: int

    @property
    def space(self) -> Dict:
        """The name (0: none) and its value (0: none)."""
        return Dict(
            {"name": Discrete(2 * self.pairs + 1, "int8"), "value": Discrete(KINDS + 1, "int8")}
        )

    @property
    def steps(self) -> int:
        """2P + M."""
        return 2 * self.pairs + self.blanks

    def draw(self, count: int, rng: np.random.Generator, test: bool = False) -> Sequences:
        """See AbstractTask."""
        pairs = self.pairs
        names = rng.permuted(np.tile(np.arange(2 * pairs), (count, 1)), axis=1)[:, :pairs] + 1
        values = rng.integers(1, KINDS + 1, size=(count, pairs))
        order = rng.permuted(np.tile(np.arange(pairs), (count, 1)), axis=1)
        name = np.zeros((count, self.steps), np.int8)
        value, label = np.zeros_like(name), np.zeros_like(name)
        name[:, :pairs], value[:, :pairs] = names, values
        name[:, -pairs:] = np.take_along_axis(names, order, axis=1)
        label[:, -pairs:] = np.take_along_axis(values, order, axis=1)
        asked = np.zeros(name.shape, bool)
        asked[:, -pairs:] = True
        return Sequences({"obs.name": name, "obs.value": value}, label, asked)


@dataclass(frozen=True)
class SelectiveRecall(AbstractTask):
    """Four cues at random steps of the first half, four questions in the last quarter, and noise.

    The cues come in a random order, each with one of eight values; each question is about one of
    them, in another order.

    Attributes:
        length: T, at least 16.
    """

    length: int

    @property
    def space(self) -> Dict:
        """Which cue is shown (0: none), its value (0: none), which is asked for, and noise."""
        return Dict(
            {
                "ask": Discrete(CUES + 1, "int8"),
                "cue": Discrete(CUES + 1, "int8"),
                "noise": Discrete(NOISE, "int8"),
                "value": Discrete(KINDS + 1, "int8"),
            }
        )

    @property
    def steps(self) -> int:
        """T."""
        return self.length

    def draw(self, count: int, rng: np.random.Generator, test: bool = False) -> Sequences:
        """See AbstractTask."""
        shape, last = (count, self.length), self.length // 4
        ask, cue, value, label = (np.zeros(shape, np.int8) for _ in range(4))
        values = rng.integers(1, KINDS + 1, size=(count, CUES), dtype=np.int8)
        shown, wanted = (
            rng.permuted(np.tile(np.arange(CUES), (count, 1)), axis=1) for _ in range(2)
        )
        at = places(count, self.length // 2, CUES, rng)
        then = self.length - last + places(count, last, CUES, rng)
        for steps, into, what in (
            (at, cue, shown + 1),
            (at, value, np.take_along_axis(values, shown, axis=1)),
            (then, ask, wanted + 1),
            (then, label, np.take_along_axis(values, wanted, axis=1)),
        ):
            np.put_along_axis(into, steps, what.astype(np.int8), axis=1)
        noise = rng.integers(NOISE, size=shape, dtype=np.int8)
        obs = {"obs.ask": ask, "obs.cue": cue, "obs.noise": noise, "obs.value": value}
        return Sequences(obs, label, ask > 0)
