"""Play complete episodes: every copy of the environment plays one from its start to its end.

Every copy counts once, so short episodes are not favoured; and a round depends on its key alone,
so a run that was killed repeats it exactly.
"""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from jaxtyping import PyTree

from memup.agents.base import AbstractAgent
from memup.agents.rollout import Carry, begin, host_rollout, rollout
from memup.envs.base import AbstractEnv
from memup.spaces import Space, split
from memup.types import Key, TimeStep, Trajectory

CHUNK = 256
HOST_CHUNK = 32


class Player:
    """Plays rounds of B episodes with one agent in one environment.

    Args:
        agent: who acts.
        env: where; on the device or a host vector environment.
        batch: B; for a host environment its own number of copies.
        length: steps between two looks at whether all episodes have ended; 0: 256 on the device,
            where a look costs more than a step, and 32 on the host.
        greedy: take the likeliest actions.
    """

    def __init__(
        self,
        agent: AbstractAgent,
        env: Any,
        batch: int,
        length: int = 0,
        greedy: bool = False,
    ):
        self.agent, self.env = agent, env
        self.on_device = isinstance(env, AbstractEnv)
        self.batch = batch if self.on_device else env.n
        length = length or (CHUNK if self.on_device else HOST_CHUNK)
        self.length = length
        if self.on_device:
            self._begin = jax.jit(lambda s, k: begin(agent, s, env, batch, key=k))
            self._play = jax.jit(
                lambda s, c, k: rollout(agent, s, env, c, length, key=k, greedy=greedy)
            )
        else:
            self._act = jax.jit(lambda s, c, t, k: agent.act(s, c, t, key=k, greedy=greedy))

    def begin(self, state: PyTree, key: Key) -> Carry:
        """Reset all copies."""
        if self.on_device:
            return self._begin(state, key)
        seed = int(jax.random.bits(key) >> 1)
        return Carry((), self.env.reset(seed), self.agent.begin(state, self.batch))

    def play(self, state: PyTree, carry: Carry, key: Key) -> tuple[Carry, Trajectory]:
        """Take `length` steps in every copy."""
        if self.on_device:
            return self._play(state, carry, key)
        return host_rollout(self._act, state, self.env, carry, self.length, key=key)


def play_round(
    player: Player,
    state: PyTree,
    key: Key,
    learn: Callable[[PyTree, Trajectory, Key], PyTree] | None = None,
) -> tuple[PyTree, list[Trajectory], np.ndarray]:
    """Play until every copy has ended one episode.

    Args:
        player: who plays where.
        state: the agent's state.
        key: of the whole round.
        learn: learns from every stretch as soon as it is played, if given.

    Returns:
        The agent's state, the stretches (numpy), and how many steps each copy's episode has, [B].
    """
    carry = player.begin(state, jax.random.fold_in(key, 0))
    lengths = np.zeros(player.batch, np.int64)
    stretches: list[Trajectory] = []
    while not lengths.all():
        now = jax.random.fold_in(key, len(stretches) + 1)
        play_key, learn_key = jax.random.split(now)
        carry, trajectory = player.play(state, carry, play_key)
        if learn is not None:
            state = learn(state, trajectory, learn_key)
        kept = trajectory._replace(extras=(), before=(), after=())
        stretches.append(jax.tree.map(np.asarray, kept))
        _mark_ends(lengths, stretches[-1].step, (len(stretches) - 1) * player.length)
    return state, stretches, lengths


def _mark_ends(lengths: np.ndarray, step: TimeStep, before: int) -> None:
    ended = step.terminated | step.truncated
    where = ended.argmax(axis=0)
    new = (lengths == 0) & ended.any(axis=0)
    lengths[new] = before + where[new] + 1


def as_fields(
    space: Space, actions: int, stretches: list[Trajectory], lengths: np.ndarray
) -> dict[str, np.ndarray]:
    """Lay the first episode of every copy end to end: field name to [sum of lengths, ...]."""
    dtype = np.int8 if actions <= 128 else np.int32
    leaves = [split(space, s.step.obs) for s in stretches]
    columns: dict[str, list[np.ndarray]] = {name: [c[name] for c in leaves] for name in leaves[0]}
    columns["action"] = [s.action.astype(dtype) for s in stretches]
    columns["reward"] = [s.step.reward for s in stretches]
    columns["terminated"] = [s.step.terminated for s in stretches]
    longest = int(lengths.max())
    inside = np.arange(longest)[None, :] < lengths[:, None]

    def lay(parts: list[np.ndarray]) -> np.ndarray:
        column = np.concatenate([np.asarray(p) for p in parts])[:longest]
        return np.swapaxes(column, 0, 1)[inside]

    return {name: lay(parts) for name, parts in columns.items()}


def outcome(stretches: list[Trajectory], lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the return and the success of the first episode of every copy, [B] each."""
    reward = np.concatenate([s.step.reward for s in stretches])
    success = np.concatenate([s.step.success for s in stretches])
    inside = np.arange(len(reward))[:, None] < lengths[None, :]
    total = np.where(inside, reward, 0.0).sum(axis=0)
    return total, success[lengths - 1, np.arange(len(lengths))]
