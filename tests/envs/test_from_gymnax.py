"""Gymnax environments by their shape; gymnax itself need not be installed."""

import sys
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.core.spaces import Box, Discrete
from memup.envs.adapters.gymnax import FromGymnax
from memup.envs.base import step_or_reset
from memup.envs.table import make_env


class Counter:
    """Counts to two; as gymnax 1.x it resets inside and keeps the last observation in info."""

    def reset(self, key, params):
        return jnp.zeros(1), jnp.int32(0)

    def step(self, key, state, action, params):
        count = state + 1
        over = count == params["end"]
        final = jnp.full(1, count, jnp.float32)
        obs, state = jnp.where(over, 0.0, final), jnp.where(over, 0, count)
        return obs, state, action * 1.0, over, over & False, {"final_observation": final}

    def observation_space(self, params):
        return SimpleNamespace(low=jnp.zeros(1), high=9.0, shape=(1,), dtype=jnp.float32)

    def action_space(self, params):
        return SimpleNamespace(n=3, shape=(), dtype=jnp.int32)


def test_the_last_observation_is_shown_and_then_an_episode_begins():
    env = FromGymnax(Counter(), {"end": 2})
    assert env.observation_space == Box((1,), "float32", 0.0, 9.0)
    assert env.action_space == Discrete(3)
    go = jax.jit(lambda env, carry: step_or_reset(env, *carry, 2, key=jax.random.key(0)))
    carries = [env.reset(key=jax.random.key(0))]
    for _ in range(4):
        carries.append(go(env, carries[-1]))
    steps = [step for _, step in carries]
    np.testing.assert_array_equal([s.obs[0] for s in steps], [0, 1, 2, 0, 1])
    np.testing.assert_array_equal([s.first for s in steps], [1, 0, 0, 1, 0])
    np.testing.assert_array_equal([s.terminated for s in steps], [0, 0, 1, 0, 0])
    np.testing.assert_array_equal([s.reward for s in steps], [0, 2, 2, 0, 2])
    assert all(np.isnan(s.success) and s.reward.dtype == np.float32 for s in steps)


def test_without_gymnax_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnax", None)
    with pytest.raises(MemupError, match="pip install"):
        make_env("gymnax:MemoryChain-bsuite")


def test_names_are_looked_up_in_gymnax(monkeypatch):
    fake = SimpleNamespace(registered_envs=["Count-v0"], make=lambda name: (Counter(), {"end": 2}))
    fake.__spec__ = object()
    monkeypatch.setitem(sys.modules, "gymnax", fake)
    assert isinstance(make_env("gymnax:Count-v0"), FromGymnax)
    with pytest.raises(MemupError, match="did you mean 'Count-v0'"):
        make_env("gymnax:Cont-v0")
