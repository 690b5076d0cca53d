"""Evaluation: fresh episodes, greedy actions, means with 95 % intervals; constant memory."""

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.acting.make import vector_env
from memup.agents.base import AbstractAgent
from memup.evaluation.intervals import interval, wilson

BATCH = 256
FIRST_STEPS, MOST_STEPS = 256, 1 << 30
LEAST_SECONDS = 1.0


class Evaluation:
    """Fresh episodes of a trained agent, played greedily in pieces of about a second.

    On the device a piece is a stretch of all copies' episodes; on the host, where the state of an
    environment cannot be kept, a whole round. What comes out does not depend on the pieces.

    Args:
        agent: who plays.
        env: where.
        episodes: how many; every copy of the environment plays a round, so long episodes count
            as often as short ones.
        seed: of the evaluation alone.
        expected: steps of an episode, as far as they are known; progress is told by them.
    """

    def __init__(
        self, agent: AbstractAgent, env: Any, episodes: int, seed: int, expected: float = 0.0
    ):
        self.episodes, self.seed = episodes, seed
        self.expected = expected
        self.agent, self.env = agent, vector_env(env, min(BATCH, episodes))
        self.rounds = -(-episodes // self.env.n)
        self._steps = FIRST_STEPS

    def start(self, state: PyTree) -> dict[str, PyTree]:
        """Return where an evaluation of an agent's state stands before its first piece."""
        one = np.zeros((self.rounds, self.env.n))
        return {
            "round": np.array(0),
            "carry": self._begin(state, 0),
            "stats": self.env.stats(),
            "total": one,
            "length": one.astype(np.int64),
            "success": one,
            "seconds": np.array(0.0),
        }

    def _key(self, number: int) -> Any:
        return jax.random.fold_in(jax.random.key(self.seed), 1_000_003 + number)

    def _begin(self, state: PyTree, number: int) -> PyTree:
        """Begin a round, if where its copies stand can be kept between pieces."""
        if not self.env.restorable:
            return ()
        return self.env.begin(self.agent, state, key=self._key(number))

    def advance(self, state: PyTree, at: dict[str, PyTree]) -> tuple[dict[str, PyTree], bool]:
        """Play the next piece; return where the evaluation stands, and whether it is done."""
        number, begun = int(at["round"]), time.perf_counter()
        key, carry, steps = self._key(number), at["carry"], self._steps
        if not self.env.restorable:
            carry, steps = self.env.begin(self.agent, state, key=key), MOST_STEPS
        key = jax.random.fold_in(key, 1)
        carry, stats = self.env.play_on(self.agent, state, carry, at["stats"], steps, key=key)
        at = {**at, "carry": carry if self.env.restorable else (), "stats": stats}
        if time.perf_counter() - begun < LEAST_SECONDS:
            self._steps = min(2 * self._steps, MOST_STEPS)
        if bool(np.all(stats.over)):
            at = self._next(state, at, number)
        at["seconds"] = at["seconds"] + (time.perf_counter() - begun)
        return at, int(at["round"]) == self.rounds

    def _next(self, state: PyTree, at: dict[str, PyTree], number: int) -> dict[str, PyTree]:
        """Write down a round that has ended."""
        at, stats = {**at, "round": np.array(number + 1)}, at["stats"]
        found = {"total": stats.returns, "length": stats.lengths, "success": stats.successes}
        for name, leaf in found.items():
            at[name] = at[name].copy()
            at[name][number] = leaf[:, 0]
        # The last round leaves where it stood, so that the tree has one shape.
        carry = at["carry"] if number + 1 == self.rounds else self._begin(state, number + 1)
        return {**at, "carry": carry, "stats": self.env.stats()}

    def run(
        self, state: PyTree, on_row: Callable[[dict[str, Any]], None] | None = None
    ) -> dict[str, Any]:
        """Play all episodes; return `row`, and call `on_row` now and then with how far it is."""
        at, done, pieces = self.start(state), False, 0
        while not done:
            at, done = self.advance(state, at)
            pieces += 1
            if on_row:
                on_row({"phase": "evaluate", "step": pieces, **self.progress(at)})
        return self.row(at)

    def progress(self, at: dict[str, PyTree]) -> dict[str, Any]:
        """Return how far the evaluation is: {"env_steps", "progress"}."""
        running = at["stats"]
        steps = int(at["length"].sum() + np.sum(np.asarray(running.running_length, np.int64)))
        over = int(at["round"]) * self.env.n + int(np.sum(running.over))
        guess = steps / (self.episodes * self.expected) if self.expected else 0.0
        return {"env_steps": steps, "progress": min(1.0, max(over / self.episodes, guess))}

    def row(self, at: dict[str, PyTree]) -> dict[str, Any]:
        """Return the figures of a finished evaluation.

        Returns:
            {"episodes", "return_mean", "return_ci95", "success_rate" (of the episodes that say
            whether they succeeded; None where none does), "success_ci95", "success_episodes" (that
            say so), "length_mean", "steps_per_second"}.
        """
        total, length, success = (
            at[name].reshape(-1)[: self.episodes] for name in ("total", "length", "success")
        )
        told = success[np.isfinite(success)]
        rate = float(told.mean()) if len(told) else None
        return {
            "episodes": len(total),
            "return_mean": float(total.mean()),
            "return_ci95": list(interval(total)),
            "success_rate": rate,
            "success_ci95": None if rate is None else list(wilson(rate, len(told))),
            "success_episodes": len(told),
            "length_mean": float(length.mean()),
            "steps_per_second": float(at["length"].sum()) / float(at["seconds"]),
        }
