"""What a supervised task is: sequences with labels, drawn on the host, many at once."""

import abc
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Shaped

from memup.core.spaces import Space


class Sequences(NamedTuple):
    """N sequences of T steps.

    Attributes:
        obs: what is seen, by the names that `memup.core.spaces.flatten` gives: leaves [N, T, ...].
        label: what is to be said at each step, [N, T].
        asked: where the answer counts, [N, T]; as often in each sequence.
    """

    obs: dict[str, Shaped[np.ndarray, "N T ..."]]
    label: Shaped[np.ndarray, "N T"]
    asked: Bool[np.ndarray, "N T"]


class AbstractTask(abc.ABC):
    """Sequences whose labels need memory.

    A task whose sequences are `dense` has a label at every step: where nothing is asked it says
    "nothing", and which steps are worth remembering for is for the detector to find. Others have
    labels where `asked` only.

    Attributes:
        dense: whether every step has a label.
        finite: whether it is a data set, which has no more sequences than it has.
    """

    dense: bool = True
    finite: bool = False

    @property
    @abc.abstractmethod
    def space(self) -> Space:
        """What is seen at a step."""

    @property
    @abc.abstractmethod
    def steps(self) -> int:
        """T, steps of every sequence."""

    @abc.abstractmethod
    def draw(self, count: int, rng: np.random.Generator, test: bool = False) -> Sequences:
        """Draw sequences.

        Args:
            count: how many; a data set gives each of its own at most once, so perhaps fewer.
            rng: of every choice; the same one gives the same sequences.
            test: from what is kept for tests, where the task is a data set.
        """
