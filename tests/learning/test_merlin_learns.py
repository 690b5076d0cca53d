"""MERLIN finds in its memory what neither its policy nor its gradient's window reaches."""

import memup

SMALL = {
    "env": "tmaze-ln-8",
    "agent": "merlin",
    "training": "end-to-end",
    "memory": "none",  # the policy has no state of its own
    "encoder.size": 16,
    "agent.rollout": 6,
    "agent.slots": 10,
    "agent.latent": 8,
    "agent.size": 16,
    "agent.hidden": 32,
    "agent.stop_at_success": 0.98,
    "agent.steps": 400_000,
    "evaluate.episodes": 256,
}


def success(**more):
    return memup.train(memup.spec(**{**SMALL, **more})).results[0]["success_rate"]


def test_the_hint_is_read_from_the_memory():
    assert success() >= 0.95
