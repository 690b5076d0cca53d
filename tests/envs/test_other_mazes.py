"""Distractors, memory length, endless and active: their numbers, and a player who knows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.envs.active import DOWN, LEFT, RIGHT, UP, ActiveTMaze
from memup.envs.distractors import TMazeDistractors
from memup.envs.endless import EndlessTMaze
from memup.envs.hints import TMazeHints
from memup.envs.memory_len import MemoryLen

EPISODES = 2048


def play(env, policy, memory, steps, episodes=EPISODES):
    """Play policy(memory, obs, key) -> (memory, action): leaves [steps + 1, episodes, ...]."""

    def one(key):
        key, reset_key = jax.random.split(key)
        state, first = env.reset(key=reset_key)

        def body(carry, key):
            state, step, memory = carry
            policy_key, env_key = jax.random.split(key)
            memory, action = policy(memory, step.obs, policy_key)
            state, step = env.step(state, action, key=env_key)
            return (state, step, memory), step

        keys = jax.random.split(key, steps)
        _, rest = jax.lax.scan(body, (state, first, memory), keys)
        return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), first, rest)

    keys = jax.random.split(jax.random.key(0), episodes)
    return jax.tree.map(np.asarray, jax.jit(jax.vmap(one, out_axes=1))(keys))


def guess(memory, obs, key):
    return memory, jax.random.bits(key, (), jnp.uint8) & 1


def recall(memory, obs, key):
    """Keep the latest hint, and answer it."""
    memory = jnp.where(obs[0] != 0, obs[0], memory)
    return memory, (memory > 0).astype(jnp.int32)


@pytest.fixture(scope="module")
def steps():
    """Three distractors in twelve steps, without noise in the length."""
    return play(TMazeDistractors(3, 12, "LN"), recall, jnp.float32(0), 12)


class TestDistractors:
    def test_they_are_announced_in_order_and_end_at_the_junction(self, steps):
        signal = steps.obs[..., 1]
        assert ((signal > 0).sum(axis=0) == 4).all()
        for row in signal.T[:50]:
            np.testing.assert_allclose(row[row > 0], [0.25, 0.5, 0.75, 1.0])
        assert (signal[11] == 1).all() and not signal[:5].any()

    def test_every_place_is_as_likely(self, steps):
        places = (steps.obs[5:11, :, 1] > 0).mean(axis=1)
        assert np.abs(places - 3 / 6).max() < 5 * 0.5 / np.sqrt(EPISODES)

    def test_their_reward_is_a_coin_that_comes_with_the_next_step(self, steps):
        signalled = steps.obs[:11, :, 1] > 0
        paid = steps.reward[1:12]
        assert not paid[~signalled].any() and set(paid[signalled].tolist()) == {4.0, -3.0}
        assert abs(paid[signalled].mean() - 0.5) < 5 * 3.5 / np.sqrt(signalled.sum())

    def test_the_junction_pays_for_the_hint(self, steps):
        assert (steps.reward[12] == 4).all() and (steps.success[12] == 1).all()
        assert steps.terminated[12].all() and not steps.terminated[:12].any()
        assert not steps.obs[12].any()

    def test_scale_and_the_tightest_fit(self):
        steps = play(TMazeDistractors(4, 10, "LNR", scale=0.5), guess, 0, 20, episodes=64)
        ends = steps.terminated.argmax(axis=0)
        inside = np.arange(21)[:, None] < ends
        assert set(steps.reward[inside].tolist()) == {0.0, 2.0, -1.5}
        assert ((steps.reward[:20] != 0) & inside[:20]).sum() == 4 * 64


def recall_each(memory, obs, key):
    """Keep every hint in its own place, and answer the junction's."""
    n = memory.shape[0]
    memory = jnp.where(obs[:n] != 0, obs[:n], memory)
    return memory, (jnp.sum(memory * obs[n : 2 * n]) > 0).astype(jnp.int32)


@pytest.fixture(scope="module")
def hints():
    """Three hints in 12 to 22 steps."""
    return play(TMazeHints(3, 12), recall_each, jnp.zeros(3, jnp.int8), 22)


class TestHints:
    def test_every_hint_comes_once_in_order_in_the_first_half(self, hints):
        ends = hints.terminated.argmax(axis=0)
        assert ends.min() == 12 and ends.max() == 22
        for row, end in list(zip(np.moveaxis(hints.obs, 1, 0), ends, strict=True))[:200]:
            shown = (row[: end + 1, :3] != 0).nonzero()
            assert shown[1].tolist() == [0, 1, 2] and shown[0][-1] < end // 2

    def test_every_set_of_places_is_as_likely(self, hints):
        short = hints.terminated[12]
        first_half = hints.obs[:6, short, :3].any(axis=-1).mean(axis=1)
        assert np.abs(first_half - 3 / 6).max() < 5 * 0.5 / np.sqrt(short.sum())

    def test_junctions_stand_apart_and_pay_for_their_own_hint(self, hints):
        short = hints.terminated[12]
        junctions = hints.obs[:13, short, 3:6]
        for number, place in enumerate((7, 9, 11)):
            assert (junctions[place, :, number] == 1).all() and junctions[..., number].sum() == (
                short.sum()
            )
            assert (hints.reward[place + 1, short] == 4).all()
        assert (hints.reward[:13, short] != 0).sum() == 3 * short.sum()
        share = hints.success[[8, 10, 12]][:, short]
        np.testing.assert_allclose(share[:, 0], [1 / 3, 2 / 3, 1], rtol=1e-6)
        assert (share == share[:, :1]).all()
        assert not hints.obs[12, short].any()

    def test_the_wrong_hint_is_worth_nothing(self):
        steps = play(TMazeHints(2, 8), recall, jnp.int8(0), 18)
        ends = steps.terminated.argmax(axis=0)
        # It keeps the first hint alone: the first junction is right, the second a coin.
        share = steps.success[ends, np.arange(EPISODES)].mean()
        assert abs(share - 0.75) < 5 * 0.25 / np.sqrt(EPISODES)


def test_memory_len_shows_the_time_and_pays_one():
    steps = play(MemoryLen(5), recall, jnp.float32(0), 5, episodes=64)
    np.testing.assert_allclose(steps.obs[:, 0, 1], [0, 0.25, 0.5, 0.75, 1, 0])
    assert (np.abs(steps.obs[0, :, 0]) == 1).all() and not steps.obs[1:, :, 0].any()
    assert (steps.reward[5] == 1).all() and (steps.success[5] == 1).all()
    assert steps.terminated[5].all() and not steps.terminated[:5].any()
    chance = play(MemoryLen(2), guess, 0, 2).reward[2]
    assert set(chance.tolist()) == {1.0, -1.0} and abs(chance.mean()) < 5 / np.sqrt(EPISODES)


class TestEndless:
    JUNCTIONS, CORRIDOR = 3, 4

    def test_a_player_with_one_bit_of_memory_gets_all(self):
        env = EndlessTMaze(self.JUNCTIONS, self.CORRIDOR)
        steps = play(env, recall, jnp.int8(0), 12, episodes=256)
        paid = np.zeros(13)
        paid[[4, 8, 12]] = 4
        np.testing.assert_array_equal(steps.reward, np.broadcast_to(paid[:, None], (13, 256)))
        hints = steps.obs[..., 0] != 0
        np.testing.assert_array_equal(np.flatnonzero(hints[:, 0]), [0, 4, 8])
        assert (hints == hints[:, :1]).all()
        np.testing.assert_array_equal(np.flatnonzero(steps.obs[:, 0, 1]), [3, 7, 11])
        assert steps.terminated[12].all() and not steps.terminated[:12].any()
        assert not steps.obs[12].any() and (steps.success[12] == 1).all()
        first, second = steps.obs[0, :, 0], steps.obs[4, :, 0]
        assert abs(np.mean(first * second)) < 0.35

    def test_success_is_the_share_answered_right(self):
        steps = play(EndlessTMaze(self.JUNCTIONS, self.CORRIDOR), guess, 0, 12)
        right = (steps.reward == 4).sum(axis=0)
        np.testing.assert_allclose(steps.success[12], right / 3, rtol=1e-6)
        assert abs(steps.reward.sum(axis=0).mean() - 1.5) < 5 * 3.5 * np.sqrt(3 / EPISODES)

    def test_keeping_only_the_first_hint_is_chance_afterwards(self):
        def stubborn(memory, obs, key):
            memory = jnp.where(memory == 0, obs[0], memory)
            return memory, (memory > 0).astype(jnp.int32)

        steps = play(EndlessTMaze(2, 3), stubborn, jnp.int8(0), 6)
        assert (steps.reward[3] == 4).all() and abs(steps.reward[6].mean() - 0.5) < 0.4


class TestActive:
    LENGTH = 4

    def fetch(self, memory, obs, key):
        """Go left once, then right to the end, and take the side the oracle showed."""
        time, sign = memory
        sign = jnp.where((obs[0] == 0) & (obs[1] != 0), obs[1], sign)
        choice = jnp.where(sign > 0, UP, DOWN)
        action = jnp.where(time == 0, LEFT, jnp.where(obs[0] == 1, choice, RIGHT))
        return (time + 1, sign), action

    def test_fetching_the_hint_earns_one(self):
        start = (jnp.int32(0), jnp.int8(0))
        steps = play(ActiveTMaze(self.LENGTH), self.fetch, start, 7, episodes=64)
        assert steps.terminated[7].all() and not steps.terminated[:7].any()
        assert (steps.reward[7] == 1).all() and not steps.reward[:7].any()
        assert (steps.success[7] == 1).all() and not steps.truncated.any()
        assert (np.abs(steps.obs[1, :, 1]) == 1).all() and abs(steps.obs[1, :, 1].mean()) < 1
        assert not steps.obs[0].any() and (steps.obs[6] == [1, 0]).all()

    def test_skipping_the_oracle_is_a_coin(self):
        def hurry(memory, obs, key):
            return memory, jnp.where(obs[0] == 1, UP, RIGHT)

        steps = play(ActiveTMaze(self.LENGTH), hurry, 0, 5)
        assert steps.terminated[5].all() and not steps.reward[:5].any()
        assert abs(steps.reward[5].mean() - 0.5) < 0.06
        assert (steps.obs[5] == [1, 1]).all()

    def test_staying_costs_and_the_time_limit_truncates(self):
        def stay(memory, obs, key):
            return memory, jnp.int32(UP)

        steps = play(ActiveTMaze(self.LENGTH), stay, 0, 7, episodes=4)
        np.testing.assert_allclose(steps.reward[:, 0], [0, 0, 0, -0.25, -0.25, -0.25, -0.25, 0])
        assert steps.truncated[7].all() and not steps.truncated[:7].any()
        assert not steps.terminated.any() and not steps.success.any()

    def test_the_oracle_speaks_once(self):
        def shuttle(memory, obs, key):
            return memory + 1, jnp.where(memory % 2 == 0, LEFT, RIGHT)

        steps = play(ActiveTMaze(self.LENGTH), shuttle, jnp.int32(0), 4, episodes=4)
        assert (np.abs(steps.obs[:, :, 1]).sum(axis=0) == 1).all()
