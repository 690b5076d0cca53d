"""Evaluation: fresh episodes, greedy actions, means with 95 % intervals; constant memory."""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.acting.episodes import Player
from memup.acting.recorder import Outcomes
from memup.acting.rollout import begin
from memup.acting.tally import Span, Tally, play_on
from memup.agents.base import AbstractAgent
from memup.envs.base import AbstractEnv
from memup.method.orders.base import Visit
from memup.method.selectors.current import Current
from memup.method.update import MemUP, initial_rows
from memup.method.windows import Windows

BATCH = 256
LEAST_SPLIT = 32
FIRST_STEPS, MOST_STEPS = 256, 1 << 30
LEAST_SECONDS = 1.0


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of a mean, by the normal approximation."""
    half = 1.96 * float(np.std(values, ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return float(values.mean()) - half, float(values.mean()) + half


def wilson(rate: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share, which is right near 0 and 1 too."""
    z2 = 1.96**2
    centre = (rate + z2 / (2 * count)) / (1 + z2 / count)
    half = 1.96 * math.sqrt(rate * (1 - rate) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, centre - half), min(1.0, centre + half)


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
        self.on_device = isinstance(env, AbstractEnv)
        self.batch = min(BATCH, episodes) if self.on_device else env.n
        self.rounds = -(-episodes // self.batch)
        if self.on_device:
            self._begin = jax.jit(lambda s, k: begin(agent, s, env, self.batch, key=k))
            self._play = jax.jit(lambda s, c, t, n, k: play_on(agent, s, env, c, t, n, key=k))
            # Each step is a chain of small products, which two threads share badly: so each thread
            # plays half of the copies. Always two halves, as drawn actions depend on the parts.
            split = jax.default_backend() == "cpu" and self.batch >= LEAST_SPLIT
            self.parts = np.split(np.arange(self.batch), 2 if split and not self.batch % 2 else 1)
        else:
            self._player = Player(agent, env, self.batch, greedy=True)
        self._steps = FIRST_STEPS

    def start(self, state: PyTree) -> dict[str, PyTree]:
        """Return where an evaluation of an agent's state stands before its first piece."""
        one, carry = np.zeros((self.rounds, self.batch)), ()
        if self.on_device:  # what a round begins with is made with its first piece
            like = jax.eval_shape(self._begin, state, self._key(0))
            carry = jax.tree.map(lambda a: jnp.zeros(a.shape, a.dtype), like)
        return {
            "round": np.array(0),
            "carry": carry,
            "tally": Tally.start(self.batch),
            "total": one,
            "length": one.astype(np.int64),
            "success": one,
            "seconds": np.array(0.0),
        }

    def _key(self, number: int) -> Any:
        return jax.random.fold_in(jax.random.key(self.seed), 1_000_003 + number)

    def advance(self, state: PyTree, at: dict[str, PyTree]) -> tuple[dict[str, PyTree], bool]:
        """Play the next piece; return where the evaluation stands, and whether it is done."""
        number, begun = int(at["round"]), time.perf_counter()
        if self.on_device:
            at = self._stretch(state, at, number)
        else:
            at = {**at, "tally": _host_round(self._player, state, self._key(number))}
        if bool(np.all(at["tally"].over)):
            at = self._next(at, number)
        at["seconds"] = at["seconds"] + (time.perf_counter() - begun)
        return at, int(at["round"]) == self.rounds

    def _stretch(self, state: PyTree, at: dict[str, PyTree], number: int) -> dict[str, PyTree]:
        start, key = time.perf_counter(), self._key(number)
        carry, tally = at["carry"], at["tally"]
        begun = np.max(tally.length)
        if not begun:
            carry = self._begin(state, key)
        key = jax.random.fold_in(key, 1)

        def play(part: np.ndarray) -> tuple[PyTree, Tally]:
            own = jax.tree.map(lambda a: a[part[0] : part[-1] + 1], (carry, tally))
            span = Span(self.batch, *map(jnp.int32, (part[0], begun, self._steps)))
            return jax.block_until_ready(self._play(state, *own, span, key))

        with ThreadPoolExecutor(len(self.parts)) as pool:
            played = list(pool.map(play, self.parts))
        if time.perf_counter() - start < LEAST_SECONDS:
            self._steps = min(2 * self._steps, MOST_STEPS)
        carry, tally = jax.tree.map(lambda *parts: jnp.concatenate(parts), *played)
        return {**at, "carry": carry, "tally": tally}

    def _next(self, at: dict[str, PyTree], number: int) -> dict[str, PyTree]:
        """Write down a round that has ended."""
        at = {**at, "round": np.array(number + 1)}
        for name in ("total", "length", "success"):
            at[name] = at[name].copy()
            at[name][number] = getattr(at["tally"], name)
        return {**at, "tally": Tally.start(self.batch)}

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
        running = at["tally"]
        steps = int(at["length"].sum()) + int(np.sum(np.asarray(running.length, np.int64)))
        over = int(at["round"]) * self.batch + int(np.sum(running.over))
        guess = steps / (self.episodes * self.expected) if self.expected else 0.0
        return {"env_steps": steps, "progress": min(1.0, max(over / self.episodes, guess))}

    def row(self, at: dict[str, PyTree]) -> dict[str, Any]:
        """Return the figures of a finished evaluation.

        Returns:
            {"episodes", "return_mean", "return_ci95", "success_rate" (None where the environment
            does not define success), "success_ci95", "length_mean", "steps_per_second"}.
        """
        total, length, success = (
            at[name].reshape(-1)[: self.episodes] for name in ("total", "length", "success")
        )
        rate = float(success.mean()) if np.isfinite(success).all() else None
        return {
            "episodes": len(total),
            "return_mean": float(total.mean()),
            "return_ci95": list(interval(total)),
            "success_rate": rate,
            "success_ci95": None if rate is None else list(wilson(rate, len(total))),
            "length_mean": float(length.mean()),
            "steps_per_second": float(at["length"].sum()) / float(at["seconds"]),
        }


def _host_round(player: Player, state: PyTree, key: Any) -> Tally:
    """Play one episode in every copy of a host environment."""
    carry, outcomes, stretch = player.begin(state, key), Outcomes(player.batch), 0
    while not outcomes.lengths.all():
        carry, trajectory = player.play(state, carry, jax.random.fold_in(key, stretch), stretch)
        outcomes.see(jax.tree.map(np.asarray, trajectory.step._replace(obs=())))
        stretch += 1
    # An episode of n actions has n + 1 steps.
    over = np.ones(player.batch, bool)
    return Tally(outcomes.total, outcomes.lengths - 1, outcomes.success, over)


def evaluate_model(
    learner: MemUP, workspace: Any, windows: Windows, episodes: int, window: int = 100
) -> dict[str, Any]:
    """Ask a model about every outcome of held-out episodes, from the memory at that very step.

    Args:
        learner: owner of the model.
        workspace: has the store and the trained arrays in `results["model"]`.
        windows: how the model was trained; its own targets and queries are not used.
        episodes: held-out episodes at most.
        window: steps at a time.

    Returns:
        {"episodes", "loss" in nats, "accuracy" (categorical outcomes) or "mse" (real ones)}.
    """
    ids = workspace.split_ids()[1][:episodes]
    lengths = windows.store.lengths(ids)
    whole = replace(windows, selector=Current(), length=window, stride=1)
    vector = workspace.results["model"]
    model = learner.model(vector)
    ask, answer = jax.jit(learner.evaluate_many), jax.jit(learner.answer_many)
    loss, right, error, count = 0.0, 0.0, 0.0, 0.0
    for low in range(0, len(ids), 64):
        spans = enumerate(zip(ids[low : low + 64], lengths[low : low + 64], strict=True))
        visits = [Visit(row, int(i), 0, int(n), 0, True) for row, (i, n) in spans]
        windows_of = -(-int(lengths[low : low + 64].max()) // window)
        batch = whole.build(visits, len(visits), windows_of, np.random.default_rng(0))
        rows = initial_rows(model.memory, len(visits))
        weight = batch.weight
        loss += float((np.asarray(ask(vector, rows, batch)[1]) * weight).sum())
        off = np.asarray(answer(vector, rows, batch)[1]) - batch.target
        right += float(((np.abs(off) < 1e-4).all(-1) * weight).sum())
        error += float(((off**2).mean(-1) * weight).sum())
        count += float(weight.sum())
    measure = {"accuracy": right / count}
    if not model.likelihood.finite:
        measure = {"mse": error / count}
    return {"episodes": len(ids), "loss": loss / count, **measure}
