"""Where a policy begins: arrays of its own, as its first call may use their memory again."""

import jax

from memup.build.job import build
from memup.specs.spec import make_spec


def test_an_observation_that_is_the_state_is_copied():
    given = {"env": "cartpole", "memory": "none", "training": "end-to-end"}
    job = build(make_spec({**given, "agent.environments": 2, "agent.minibatches": 1}))
    policy = job.phases[0]
    policy.prepare(job.workspace)
    leaves = jax.tree.leaves(policy.start(job.workspace)["work"])
    assert len({leaf.unsafe_buffer_pointer() for leaf in leaves}) == len(leaves)
