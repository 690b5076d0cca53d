"""Rounds of complete episodes: every copy of the environment plays W of them from start to end.

Every copy counts alike, however long its episodes are, so short ones are not favoured; and a round
depends on its key alone, so a run that was killed repeats it exactly.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import Array, PyTree

from memup.acting.recorder import EpisodeRecorder
from memup.acting.rollout import Stretch
from memup.acting.stats import EpisodeStats
from memup.acting.vector import VectorEnv
from memup.agents.base import AbstractAgent
from memup.core.spaces import flatten
from memup.core.types import Key, Trajectory

STEPS, MORE_STEPS = 256, 4096
MORE_AFTER = 16
STRETCH_BYTES = 64 * 2**20


def play_round(
    env: VectorEnv, agent: AbstractAgent, state: PyTree, recorder: EpisodeRecorder, *, key: Key
) -> None:
    """Play until every copy has ended as many episodes as the recorder keeps.

    Args:
        env: where.
        agent: who acts; it learns nothing.
        state: its state.
        recorder: takes the stretches.
        key: of the whole round.
    """
    carry = env.begin(agent, state, key=jax.random.fold_in(key, 0))
    number = 0
    while not recorder.over:
        now = jax.random.fold_in(key, number + 1)
        # Once episodes have proved long, stretches are long too: each costs the host a look.
        length = _fitting(env, MORE_STEPS if number >= MORE_AFTER else STEPS)
        carry, stats, stretch = env.play_whole(agent, state, carry, recorder.stats, length, key=now)
        recorder.add(stretch, stats)
        number += 1


def learn_round(
    env: VectorEnv,
    agent: AbstractAgent,
    state: PyTree,
    recorder: EpisodeRecorder,
    learn: Callable[[PyTree, Trajectory, Key], PyTree],
    length: int,
    *,
    key: Key,
    values: Callable[[PyTree, Trajectory], Array | None] | None = None,
) -> PyTree:
    """Do the same with an agent that learns from every stretch as soon as it is played.

    It learns too from what a copy plays behind its recorded episodes, until the last one is done.

    Args:
        env: where.
        agent: who acts.
        state: its state.
        recorder: takes the stretches.
        learn: (state, trajectory, key) -> state.
        length: steps of a stretch.
        key: of the whole round.
        values: gives what is stored as the values of a stretch, [S, B], if they are wanted.

    Returns:
        The agent's state.
    """
    carry = env.begin(agent, state, key=jax.random.fold_in(key, 0))
    see = jax.jit(EpisodeStats.see_many_first)
    number = 0
    while not recorder.over:
        play_key, learn_key = jax.random.split(jax.random.fold_in(key, number + 1))
        carry, played = env.rollout(agent, state, carry, length, key=play_key)
        value = None if values is None else values(state, played)
        state = learn(state, played, learn_key)
        stats, counted = see(recorder.stats, played.step._replace(obs=()))
        recorder.add(Stretch(played.step, played.action, counted, length), stats, value)
        number += 1
    return state


def _fitting(env: VectorEnv, steps: int) -> int:
    """Return how many steps of all copies fit into a stretch's bytes."""
    leaves: Any = flatten(env.observation_space).values()
    of_one = sum(int(np.prod(x.shape)) * np.dtype(x.dtype).itemsize for x in leaves)
    return int(np.clip(STRETCH_BYTES // (env.n * max(of_one, 1)), 1, steps))
