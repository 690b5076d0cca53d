"""The loss to expect with memory at a step, told from the step alone.

The selector `information-gain` asks for it.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memup.core.tree import Params
from memup.core.types import Query, Window
from memup.method.detectors.local import DetectorState, LocalDetector
from memup.phases.base import Compiled, Workspace
from memup.phases.draw import context

UPDATES = 8
BATCH = 1024
AT_ONCE = 4096


class GainModel:
    """Learns the losses of targets as a function of their local questions.

    Args:
        learner: a memory-less model of one number, whose outcome is here the loss.
        vector: its parameters before the first update.
    """

    def __init__(self, learner: LocalDetector, vector: Params):
        self.learner, self.vector = learner, vector
        self._learn = Compiled(learner.learn_many, donate=(0,))
        self._expect = jax.jit(self._mean)

    def start(self) -> DetectorState:
        """Return the state before the first update."""
        return self.learner.init(jnp.copy(self.vector))

    def learn(
        self,
        state: DetectorState,
        windows: Window,
        losses: Float[np.ndarray, "n B Q K"],
        rng: np.random.Generator,
    ) -> DetectorState:
        """Learn from the losses that a chunk of updates had at its targets."""
        counted = np.flatnonzero(windows.weight.ravel())
        if len(counted) == 0:
            return state
        pick = counted[rng.integers(len(counted), size=(UPDATES, BATCH))]
        axes = windows.weight.ndim
        drawn = jax.tree.map(lambda a: a.reshape(-1, *a.shape[axes:])[pick], windows.context)
        return self._learn(state, (drawn, losses.reshape(-1, 1)[pick]))[0]

    def expected(
        self, workspace: Workspace, state: DetectorState
    ) -> Callable[[dict[int, np.ndarray]], dict[int, np.ndarray]]:
        """Return what tells the expected losses of steps of episodes."""

        def of(steps: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
            counts = [len(s) for s in steps.values()]
            owner, step = np.repeat(list(steps), counts), np.concatenate(list(steps.values()))
            rows = workspace.store.global_rows(owner, step)
            padded = np.pad(rows, (0, -len(rows) % AT_ONCE), mode="edge").reshape(-1, AT_ONCE)
            told = [
                np.asarray(self._expect(state.model, context(workspace, part))) for part in padded
            ]
            parts = np.split(np.concatenate(told)[: len(rows)], np.cumsum(counts)[:-1])
            return dict(zip(steps, parts, strict=True))

        return of

    def _mean(self, vector: Params, context: Query) -> Float[Array, " N"]:
        model = self.learner.model(vector)
        return jax.vmap(lambda c: model.likelihood.mean(model.predictor(c))[0])(context)
