"""Play complete episodes: every copy of the environment plays one from its start to its end.

Every copy counts once, so short episodes are not favoured; and a round depends on its key alone,
so a run that was killed repeats it exactly.
"""

from collections.abc import Callable
from typing import Any

import jax
from jaxtyping import Array, PyTree

from memup.acting.recorder import EpisodeRecorder
from memup.acting.rollout import Carry, begin, host_rollout, rollout
from memup.agents.base import AbstractAgent
from memup.core.types import Key, Trajectory
from memup.envs.base import AbstractEnv

CHUNK = 256
HOST_CHUNK = 32
LONG_AFTER = 16
LONGER = 16


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
                lambda s, c, k, n: rollout(agent, s, env, c, n, key=k, greedy=greedy),
                static_argnums=3,
            )
        else:
            self._act = jax.jit(lambda s, c, t, k: agent.act(s, c, t, key=k, greedy=greedy))

    def begin(self, state: PyTree, key: Key) -> Carry:
        """Reset all copies."""
        if self.on_device:
            return self._begin(state, key)
        seed = int(jax.random.bits(key) >> 1)
        return Carry((), self.env.reset(seed), self.agent.begin(state, self.batch))

    def play(
        self, state: PyTree, carry: Carry, key: Key, number: int = 0
    ) -> tuple[Carry, Trajectory]:
        """Take `length` steps in every copy.

        Args:
            state: the agent's state.
            carry: where the copies stand.
            key: source of every choice.
            number: stretches played before: once episodes have proved long, stretches on the
                device are longer too, as each costs the host a look.
        """
        if self.on_device:
            length = self.length * (LONGER if number >= LONG_AFTER else 1)
            return self._play(state, carry, key, length)
        return host_rollout(self._act, state, self.env, carry, self.length, key=key)


def play_round(
    player: Player,
    state: PyTree,
    key: Key,
    recorder: EpisodeRecorder,
    learn: Callable[[PyTree, Trajectory, Key], PyTree] | None = None,
    values: Callable[[PyTree, Trajectory], Array | None] | None = None,
) -> PyTree:
    """Play until every copy has ended one episode.

    Args:
        player: who plays where.
        state: the agent's state.
        key: of the whole round.
        recorder: takes the stretches.
        learn: learns from every stretch as soon as it is recorder, if given.
        values: gives what is stored as the values of a stretch, [S, B], if they are wanted.

    Returns:
        The agent's state.
    """
    carry = player.begin(state, jax.random.fold_in(key, 0))
    number = 0
    while not recorder.lengths.all():
        play_key, learn_key = jax.random.split(jax.random.fold_in(key, number + 1))
        carry, trajectory = player.play(state, carry, play_key, 0 if learn else number)
        value = None if values is None else values(state, trajectory)
        if learn is not None:
            state = learn(state, trajectory, learn_key)
        recorder.add(trajectory._replace(extras=(), before=(), after=()), value)
        number += 1
    return state
