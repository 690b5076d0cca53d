"""How episodes went, by hand; the same on the device and in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.acting.stats import EpisodeStats
from memup.core.types import TimeStep

NAN = np.nan
FIRST = np.array([[1, 0, 0, 1, 0, 1], [1, 0, 1, 0, 0, 1]], bool).T
CUT = np.array([[0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 1, 0]], bool).T
END = np.array([[0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0]], bool).T
REWARD = np.array([[0, 1, 2, 0, 4, 0], [0, 8, 0, 16, 32, 0]], np.float32).T
# Only an episode that is cut says whether it succeeded.
SUCCESS = np.array([[NAN, 9, NAN, NAN, 1, NAN], [NAN, NAN, NAN, NAN, 0, 9]], np.float32).T
STEPS = TimeStep(np.zeros((6, 2, 3)), REWARD, END, CUT, FIRST, SUCCESS)


def see(kept, numpy, first):
    stats = EpisodeStats.start(2, kept, numpy)
    one = EpisodeStats.see_first if first else EpisodeStats.see
    one = one if numpy else jax.jit(one)
    for now in range(6):
        stats = one(stats, jax.tree.map(lambda leaf, now=now: leaf[now], STEPS))
    return stats


@pytest.mark.parametrize("numpy", [False, True])
def test_all_ended_episodes_count(numpy):
    stats = see(3, numpy, first=False)
    assert isinstance(stats.returns, np.ndarray if numpy else jax.Array)
    np.testing.assert_array_equal(stats.returns, [[3, 4, NAN], [8, 48, NAN]])
    np.testing.assert_array_equal(stats.lengths, [[2, 1, 0], [1, 2, 0]])
    np.testing.assert_array_equal(stats.successes, [[NAN, 1, NAN], [NAN, 0, NAN]])
    seen = stats.summary()
    assert (seen.episodes, seen.return_mean, seen.length_mean) == (4, 63 / 4, 1.5)
    assert (seen.success_rate, seen.reported, seen.all_success) == (0.5, 0.5, 0.25)
    assert seen.return_std == pytest.approx(np.std([3, 4, 8, 48]))
    assert stats.summary(leave_out=0.5).return_mean == 28


@pytest.mark.parametrize("numpy", [False, True])
def test_the_newest_or_the_first_are_kept(numpy):
    newest, first = see(1, numpy, first=False), see(1, numpy, first=True)
    np.testing.assert_array_equal(newest.returns, [[4], [48]])
    np.testing.assert_array_equal(first.returns, [[3], [8]])
    assert first.over.all() and first.ended.tolist() == [1, 1]
    assert np.isnan(first.summary().success_rate) and np.isnan(first.summary().all_success)


def test_a_stretch_is_its_steps():
    begun = EpisodeStats.start(2, 2)
    jax.tree.map(
        np.testing.assert_array_equal, jax.jit(begun.see_many)(STEPS), see(2, False, first=False)
    )
    stats, counted = jax.jit(EpisodeStats.see_many_first)(EpisodeStats.start(2, 1), STEPS)
    np.testing.assert_array_equal(counted.T, [[1, 1, 1, 0, 0, 0], [1, 1, 0, 0, 0, 0]])
    jax.tree.map(np.testing.assert_array_equal, stats, see(1, False, first=True))


def test_nothing_played_is_not_a_number():
    seen = EpisodeStats.start(2, 2).summary()
    assert seen.episodes == 0 and np.isnan(seen.return_mean) and np.isnan(seen.success_rate)
    assert jnp.isnan(EpisodeStats.start(2).returns).all()
