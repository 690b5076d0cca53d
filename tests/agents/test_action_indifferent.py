"""Settled observations: the step alone says what every action brings, and that it is the same."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from memup.core.spaces import Box, Discrete
from memup.data.store import EpisodeStore
from memup.method.local import LocalModel
from memup.nn.distributions import Finite
from memup.phases.action_indifferent import action_indifferent
from memup.phases.base import Workspace

COIN = Finite(((0.0, 1.0),))


class Told(eqx.Module):
    """At 0 nothing is paid; at 1 the action decides; at 2 a coin does; at 3 both pay the same."""

    def __call__(self, context):
        kind, action = context.obs[0], context.action
        sure = jnp.where(action == 1, jnp.array([0.0, 20.0]), jnp.array([20.0, 0.0]))
        options = jnp.stack([jnp.array([20.0, 0.0]), sure, jnp.zeros(2), jnp.array([0.0, 20.0])])
        return options[kind.astype(int)]


def workspace(kinds):
    store = EpisodeStore()
    for kind in kinds:
        obs = np.full((5, 1), kind, np.float32)
        store.add({"obs": obs, "action": np.zeros(5, np.int8), "reward": obs[:, 0]})
    return Workspace(None, store, Box((1,)), Discrete(2), 0)


def test_only_what_no_memory_can_change_is_settled():
    model = LocalModel(Told(), COIN)
    found = action_indifferent(workspace([0, 1, 2, 3]), model)
    assert sorted(found[:, 0].tolist()) == [0.0, 3.0]
    assert action_indifferent(workspace([1, 2]), model).shape == (0, 1)


def test_the_commonest_observations_are_looked_at_first():
    kinds = [0] * 40 + list(range(100, 180))  # 80 kinds that the model knows nothing of

    class Free(eqx.Module):
        def __call__(self, context):
            return jnp.array([20.0, 0.0])

    found = action_indifferent(workspace(kinds), LocalModel(Free(), COIN))
    assert len(found) == 64 and 0.0 in found
