"""The recall of several symbols: what is shown when, and what pays."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.envs.recall_multi import RecallMulti

ENV = RecallMulti(4)


def play(answer):
    """Play one episode; the answer is a function of the cue."""
    step, keys = jax.jit(ENV.step), jax.random.split(jax.random.key(3), 8)
    state, begun = jax.jit(ENV.reset)(key=keys[0])
    steps, cue = [begun], np.asarray(begun.obs[1:])
    for key in keys[1:7]:
        state, now = step(state, answer(cue), key=key)
        steps.append(now)
    return cue, steps


def test_a_right_answer_pays_one():
    cue, steps = play(lambda cue: jnp.asarray(cue))
    assert [int(s.obs[0]) for s in steps] == [0, 1, 1, 1, 1, 2, 2]
    assert [bool(s.terminated) for s in steps] == [False] * 6 + [True]
    assert [float(s.reward) for s in steps] == [0.0] * 6 + [1.0]
    assert float(steps[-1].success) == 1.0
    assert not steps[5].obs[1:].any() and any((s.obs[1:] != cue).any() for s in steps[1:5])


def test_one_right_part_pays_a_third():
    _, steps = play(lambda cue: jnp.asarray(np.add(cue, [0, 1, 1]) % 4))
    np.testing.assert_allclose([steps[-1].reward, steps[-1].success], 1 / 3)


def test_cues_are_even_and_in_their_space():
    _, steps = jax.vmap(lambda k: ENV.reset(key=k))(jax.random.split(jax.random.key(0), 4000))
    assert ENV.observation_space.nvec == (3, 4, 4, 4) and ENV.action_space.nvec == (4, 4, 4)
    for part in range(1, 4):
        assert (np.bincount(steps.obs[:, part], minlength=4) > 900).all()


def test_nothing_to_recall_is_refused():
    with pytest.raises(MemupError, match="length=0: expected at least 1"):
        RecallMulti(0)
