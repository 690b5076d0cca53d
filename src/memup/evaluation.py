"""Evaluation: fresh episodes, greedy actions, means with 95 % intervals; constant memory."""

import math
import time
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.agents.base import AbstractAgent
from memup.agents.episodes import Player
from memup.agents.played import Outcomes
from memup.data.orders import Visit
from memup.method.selector import Current
from memup.method.update import MemUP, initial_rows
from memup.method.windows import Windows
from memup.nn.likelihood import Categorical

BATCH = 256


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


def evaluate_agent(
    agent: AbstractAgent, state: PyTree, env: Any, episodes: int, seed: int
) -> dict[str, Any]:
    """Play fresh episodes greedily.

    Args:
        agent: who plays.
        state: the agent's state.
        env: where.
        episodes: how many; every copy of the environment plays a round, so long episodes count
            as often as short ones.
        seed: of the evaluation alone.

    Returns:
        {"episodes", "return_mean", "return_ci95", "success_rate" (None where the environment
        does not define success), "success_ci95", "length_mean", "steps_per_second"}.
    """
    player = Player(agent, env, min(BATCH, episodes), greedy=True)
    totals: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    successes: list[np.ndarray] = []
    begin = time.perf_counter()
    for number in range(-(-episodes // player.batch)):
        key = jax.random.fold_in(jax.random.key(seed), 1_000_003 + number)
        total, length, success = _round(player, state, key)
        totals.append(total)
        lengths.append(length)
        successes.append(success)
    seconds = time.perf_counter() - begin
    total, length, success = (np.concatenate(v)[:episodes] for v in (totals, lengths, successes))
    rate = float(success.mean()) if np.isfinite(success).all() else None
    return {
        "episodes": len(total),
        "return_mean": float(total.mean()),
        "return_ci95": list(interval(total)),
        "success_rate": rate,
        "success_ci95": None if rate is None else list(wilson(rate, len(total))),
        "length_mean": float(length.mean()),
        "steps_per_second": float(sum(v.sum() for v in lengths)) / seconds,
    }


def _round(player: Player, state: PyTree, key: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Play one episode in every copy; return their returns, lengths and successes."""
    carry, outcomes, stretch = player.begin(state, key), Outcomes(player.batch), 0
    while not outcomes.lengths.all():
        carry, trajectory = player.play(state, carry, jax.random.fold_in(key, stretch), stretch)
        outcomes.see(jax.tree.map(np.asarray, trajectory.step._replace(obs=())))
        stretch += 1
    # An episode of n actions has n + 1 steps.
    return outcomes.total, outcomes.lengths - 1, outcomes.success


def evaluate_model(
    learner: MemUP, world: Any, windows: Windows, episodes: int, window: int = 100
) -> dict[str, Any]:
    """Ask a model about every outcome of held-out episodes, from the memory at that very step.

    Args:
        learner: owner of the model.
        world: has the store and the trained arrays in `results["model"]`.
        windows: how the model was trained; only its store, target and space are used.
        episodes: held-out episodes at most.
        window: steps at a time.

    Returns:
        {"episodes", "loss" in nats, "accuracy" (categorical outcomes) or "mse" (real ones)}.
    """
    ids = world.split_ids()[1][:episodes]
    lengths = windows.store.lengths(ids)
    whole = Windows(
        windows.store, Current(), windows.target, windows.space, window, 1, windows.actions
    )
    vector = world.results["model"]
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
    if not isinstance(model.likelihood, Categorical):
        measure = {"mse": error / count}
    return {"episodes": len(ids), "loss": loss / count, **measure}
