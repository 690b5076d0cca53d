"""Where a step alone settles what every action brings, so that no memory need be asked.

Of the million steps of a long maze all but one are like that. An observation is action-indifferent
if the memory-less model of the outcomes is certain of each action's outcome there, and expects the
same of all of them.
"""

import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from memup.agents.choices import Choices, enumerable
from memup.core.spaces import flatten
from memup.core.types import Query
from memup.data.queries import look_up
from memup.method.local import LocalModel
from memup.nn.encoders import numbers
from memup.phases.base import Workspace

SAMPLE = 50_000
WIDEST = 256
MOST = 64
CERTAIN = 0.01
SAME = 0.01


def action_indifferent(workspace: Workspace, model: LocalModel) -> Float[np.ndarray, "N S"]:
    """Return which of the commonest observations are action-indifferent, flat as the nets see.

    Args:
        workspace: has the stored episodes.
        model: the memory-less model of the outcomes, trained.

    Returns:
        N at most 64, and 0 where outcomes are no categories or observations are of many kinds, as
        those of more than 256 numbers are.
    """
    leaves = flatten(workspace.observation_space).values()
    width = sum(math.prod(leaf.shape) for leaf in leaves)
    store, nothing = workspace.store, np.zeros((0, width), np.float32)
    few_actions = enumerable(workspace.action_space)
    if not model.likelihood.finite or width > WIDEST or not few_actions:
        return nothing
    obs = look_up(
        store,
        workspace.observation_space,
        store.sample_rows(workspace.rng("action-indifferent"), SAMPLE),
    )
    flatten_all = jax.jit(jax.vmap(lambda o: numbers(workspace.observation_space, o)))
    flat = np.asarray(flatten_all(obs))
    _, where, counts = np.unique(flat, axis=0, return_index=True, return_counts=True)
    where = where[np.argsort(-counts)][:MOST]
    few = jax.tree.map(lambda a: a[where], obs)

    def outcomes(obs: Any, action: Any) -> tuple[Array, Array]:
        params = model.predictor(Query(obs, action))
        return model.likelihood.potential(params), model.likelihood.mean(params)[0]

    every = jax.tree.map(jnp.asarray, Choices(workspace.action_space, "agent 'greedy'").all)
    of_all = jax.jit(jax.vmap(jax.vmap(outcomes, (None, 0)), (0, None)))
    spread, mean = (np.asarray(a) for a in of_all(few, every))
    values = np.asarray(model.likelihood.values[0])
    differ = np.ptp(mean, axis=1) > SAME * max(float(np.ptp(values)), 1e-6)
    return flat[where[(spread.max(axis=1) < CERTAIN) & ~differ]]
