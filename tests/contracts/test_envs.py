"""Every environment through the same checks."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.agents.choices import uniform
from memup.core.spaces import Discrete, MultiDiscrete, flatten, split
from memup.envs.base import step_or_reset
from memup.envs.table import ENVS, EXAMPLES, make_env

IDS = [
    "tmaze-3",
    "tmaze-ln-4",
    "tmaze-ls-3",
    "tmaze-anywhere-6",
    "tmaze-distractors-2-lnr-9",
    "tmaze-endless-3-2",
    "tmaze-active-3",
    "tmaze-hints-2-8",
    "memory-len-5",
    "memory-game-4",
    "cartpole",
    "cartpole-hidden",
    "pendulum",
    "recall-multi-3",
    "image-cue-12-side-8",
]
COPIES, STEPS = 4, 210


def rollout(env, key):
    """Random actions with auto-reset: states and steps, leaves [STEPS + 1, COPIES, ...]."""

    def body(carry, key):
        action_key, env_key = jax.random.split(key)
        actions = uniform(env.action_space, (COPIES,), key=action_key)
        keys = jax.random.split(env_key, COPIES)
        carry = jax.vmap(lambda s, l, a, k: step_or_reset(env, s, l, a, key=k))(
            *carry, actions, keys
        )
        return carry, carry

    reset_key, key = jax.random.split(key)
    begun = jax.vmap(lambda k: env.reset(key=k))(jax.random.split(reset_key, COPIES))
    _, rest = jax.lax.scan(body, begun, jax.random.split(key, STEPS))
    return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), begun, rest)


def bounds(space):
    if isinstance(space, MultiDiscrete):
        return 0, np.array(space.nvec) - 1
    return (0, space.n - 1) if isinstance(space, Discrete) else (space.low, space.high)


@pytest.fixture(scope="module", params=IDS)
def played(request):
    env = make_env(request.param)
    play = jax.jit(lambda key: rollout(env, key)[1])
    return env, play, jax.tree.map(np.asarray, play(jax.random.key(0)))


def test_every_family_of_the_table_is_checked_here():
    built_in = [pattern for pattern in ENVS if ":" not in pattern]
    assert {type(make_env(EXAMPLES[p])) for p in built_in} == {type(make_env(i)) for i in IDS}


def test_observations_match_the_space(played):
    env, _, steps = played
    spaces = flatten(env.observation_space)
    for name, leaf in split(env.observation_space, steps.obs).items():
        assert leaf.shape == (STEPS + 1, COPIES, *spaces[name].shape)
        assert leaf.dtype == spaces[name].dtype
        low, high = bounds(spaces[name])
        assert (leaf >= low).all() and (leaf <= high).all()


def test_other_fields_have_their_types(played):
    _, _, steps = played
    for name in ("reward", "success"):
        assert getattr(steps, name).dtype == np.float32
    for name in ("terminated", "truncated", "first"):
        assert getattr(steps, name).dtype == bool
    assert all(leaf.shape == (STEPS + 1, COPIES) for leaf in steps[1:])


def test_the_step_after_an_end_begins_an_episode(played):
    _, _, steps = played
    over = steps.terminated | steps.truncated
    assert over.any()
    assert not (steps.terminated & steps.truncated).any()
    assert steps.first[0].all()
    np.testing.assert_array_equal(steps.first[1:], over[:-1])
    assert not steps.reward[steps.first].any() and not over[steps.first].any()


def test_success_is_a_share_at_every_end(played):
    _, _, steps = played
    success = steps.success[steps.terminated | steps.truncated]
    assert np.isnan(success).all() or ((success >= 0) & (success <= 1)).all()


def test_the_key_determines_everything(played):
    _, play, steps = played
    again = jax.tree.map(np.asarray, play(jax.random.key(0)))
    other = jax.tree.map(np.asarray, play(jax.random.key(1)))
    jax.tree.map(np.testing.assert_array_equal, steps, again)
    assert not np.array_equal(steps.reward, other.reward)


def test_the_action_after_an_end_is_ignored():
    env = make_env("tmaze-ln-1")
    state, _ = env.reset(key=jax.random.key(0))
    state, last = env.step(state, 0, key=jax.random.key(1))
    assert last.terminated
    key = jax.random.key(2)
    one, other = (step_or_reset(env, state, last, a, key=key) for a in (0, 1))
    fresh = env.reset(key=key)
    for got in (one, other):
        jax.tree.map(np.testing.assert_array_equal, got, fresh)


def test_numpy_and_plain_integers_are_actions():
    env = make_env("tmaze-active-2")
    state, _ = env.reset(key=jax.random.key(0))
    key = jax.random.key(1)
    steps = [env.step(state, a, key=key)[1] for a in (2, np.int64(2), jnp.int32(2), jnp.uint8(2))]
    for step in steps[1:]:
        jax.tree.map(np.testing.assert_array_equal, step, steps[0])
