"""A run's fields reach what its memory loses in training."""

import jax
import numpy as np
import pytest

import memup
from memup.build.job import Builder, build
from memup.nn.distributions import Normal


def made(seed=0, **fields):
    """Return the learner of a run, and its model."""
    spec = memup.spec(env="tmaze-10", seed=seed, **fields)
    workspace = build(spec).workspace
    workspace.facts["likelihood"] = Normal((0.0,), (1.0,)).describe()
    learner, params = Builder(spec).learner(workspace, workspace.key("memory"))
    return learner, learner.model(params)


def test_by_default_nothing_is_lost():
    learner, model = made()
    assert learner.noise is None
    assert learner.forget == 0 == model.memory.encoder.dropout


@pytest.mark.parametrize(
    ("fields", "dropout", "forget"),
    [
        ({"encoder.dropout": 0.5}, 0.5, 0.0),
        ({"method.state_reset_prob": 0.1}, 0.0, 0.1),
        ({"encoder.dropout": 0.3, "method.state_reset_prob": 0.2}, 0.3, 0.2),
    ],
)
def test_what_a_run_asks_for_is_lost(fields, dropout, forget):
    learner, model = made(**fields)
    assert model.memory.encoder.dropout == dropout
    assert learner.forget == forget
    noise = [jax.random.key_data(made(seed, **fields)[0].noise) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(noise[0], noise[1])
    assert (noise[0] != noise[2]).any(), "other seeds lose other things"
