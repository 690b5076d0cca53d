"""What a vector environment is: many copies of an environment that agents act in.

Whoever plays asks this interface and nothing else: where the copies live (on the device, in this
process, later in others) is known to its implementations alone.
"""

import abc
from collections.abc import Callable
from typing import Any

from jaxtyping import PyTree

from memup.acting.rollout import Carry, Stretch
from memup.acting.stats import EpisodeStats
from memup.agents.base import AbstractAgent
from memup.core.spaces import Space
from memup.core.types import Key, Metrics, TimeStep, Trajectory

Learn = Callable[[PyTree, Trajectory, Key], tuple[PyTree, Metrics]]


class Training(abc.ABC):
    """An agent that acts and learns in turn, a few iterations a call.

    Attributes:
        iterations: of a call, each a rollout and what is learned from it.
    """

    iterations: int

    @abc.abstractmethod
    def __call__(self, work: PyTree, key: Key) -> tuple[PyTree, Metrics]:
        """Make the iterations.

        Args:
            work: agent's state, carry and `EpisodeStats`; it may not be used again.
            key: source of every choice.

        Returns:
            The same afterwards, and metrics [iterations].
        """

    @property
    @abc.abstractmethod
    def compile_s(self) -> float:
        """Seconds that compiling took."""


class VectorEnv(abc.ABC):
    """n copies of one environment, with next-step auto-reset.

    The call after an episode's end ignores the action and begins the next episode, so the last
    observation of an episode is never replaced.

    Attributes:
        n: copies.
        observation_space: of one copy.
        action_space: of one copy.
        restorable: whether a carry is all there is, so that it can be kept and gone on from. Where
            it is not, the copies can only be begun anew.
    """

    n: int
    observation_space: Space
    action_space: Space
    restorable: bool

    @abc.abstractmethod
    def reset(self, seed: int) -> TimeStep:
        """Begin an episode in every copy; leaves [n, ...]."""

    @abc.abstractmethod
    def step(self, actions: Any) -> TimeStep:
        """Answer the last step of every copy with an action, [n, ...]; leaves [n, ...]."""

    @abc.abstractmethod
    def snapshot(self) -> PyTree:
        """Return all that `restore` needs to go on from here.

        Raises:
            MemupError: the environment cannot be saved.
        """

    @abc.abstractmethod
    def restore(self, state: PyTree) -> TimeStep:
        """Go back to a snapshot; return the step that came last then."""

    @abc.abstractmethod
    def begin(self, agent: AbstractAgent, state: PyTree, *, key: Key) -> Carry:
        """Begin an episode in every copy, and what the actors carry."""

    @abc.abstractmethod
    def rollout(
        self, agent: AbstractAgent, state: PyTree, carry: Carry, length: int, *, key: Key
    ) -> tuple[Carry, Trajectory]:
        """Let every copy take `length` steps."""

    @abc.abstractmethod
    def play_whole(
        self,
        agent: AbstractAgent,
        state: PyTree,
        carry: Carry,
        stats: EpisodeStats,
        length: int,
        *,
        key: Key,
    ) -> tuple[Carry, EpisodeStats, Stretch]:
        """Play on until every copy has ended W episodes, or for `length` steps, and keep all."""

    @abc.abstractmethod
    def play_on(
        self,
        agent: AbstractAgent,
        state: PyTree,
        carry: Carry,
        stats: EpisodeStats,
        steps: int,
        *,
        key: Key,
    ) -> tuple[Carry, EpisodeStats]:
        """Play on greedily until every copy has ended an episode, or for `steps`; keep no step.

        Args:
            agent: who acts.
            state: its state.
            carry: where the copies stand.
            stats: what was played since `begin`, of one episode a copy.
            steps: how many at most.
            key: the same in all calls of one round.
        """

    @abc.abstractmethod
    def stats(self, kept: int = 1) -> EpisodeStats:
        """Return statistics of no episode, of the kind that the copies fill."""

    @abc.abstractmethod
    def training(self, agent: AbstractAgent, learn: Learn, length: int) -> Training:
        """Return what lets an agent act for `length` steps and learn from them, in turn."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close the copies; `reset` and `begin` open them again."""
