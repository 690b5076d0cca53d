"""Supervised tasks from the command's fields to what fresh sequences show."""

import numpy as np

import memup
from memup.build.job import build
from memup.phases.fit import fit

SMALL = {
    "training": "supervised",
    "method.target": "label",
    "memory": "gru",
    "memory.size": 12,
    "method.batch_size": 32,
    "encoder.size": 12,
    "method.width": 24,
    "method.learning_rate": 5e-3,
    "method.window": 4,
    "method.updates": 3000,
    "detect.updates": 300,
    "collect.episodes": 512,
    "evaluate.episodes": 256,
}
# One name with one of eight values, 18 blanks, one question: five windows of four steps.
TASK = "associative-recall-1-18"


def test_a_value_is_remembered_over_five_windows():
    run = memup.train(memup.spec(**{**SMALL, "task": TASK, "method.order": "jump"}))
    row = run.results[0]
    assert row["accuracy"] >= 0.99
    assert row["episodes"] == 256
    longer = memup.evaluate(run, task="associative-recall-1-30", episodes=64)
    assert longer["env"] == "associative-recall-1-30"
    assert longer["accuracy"] >= 0.9


def test_a_memory_that_reads_events_only_holds_exactly():
    """Trained over 18 blanks, it is as good over 3,000: blanks change nothing."""
    fields = {
        "method.events": 2,
        "method.order": "jump",
        "method.order.long_rows": 0,
        "method.order.rare": 2,
    }
    fields |= {
        "method.order.segment_length": 1,
        "method.window": 6,
        "method.order.segments": 5,
        "method.updates": 1000,
    }
    run = memup.train(memup.spec(**{**SMALL, "task": TASK, **fields}))
    assert run.results[0]["accuracy"] >= 0.99
    longer = memup.evaluate(run, task="associative-recall-1-3000", episodes=64)
    assert longer["accuracy"] >= 0.99


def test_truncated_back_propagation_does_not_reach_so_far():
    fields = {"method.selector": "current", "method.order": "staggered", "method.updates": 1000}
    run = memup.train(memup.spec(**{**SMALL, "task": TASK, **fields}))
    # Chance is 1/8; a share of 256 above 0.25 would be six standard deviations away.
    assert run.results[0]["accuracy"] < 0.25


def test_the_detector_finds_the_asking_steps_by_itself():
    fields = {"task": "copy-30", "method.query_length": 10}
    job = build(memup.spec(**{**SMALL, **fields}))
    for event in fit(job):
        if event.phase == "detect" and event.last:
            break
    scores = np.stack([job.workspace.store.scores(int(i)) for i in job.workspace.store.ids])
    assert scores[:, -10:].min() > 1.5, "one of eight: ln 8 = 2.08"
    assert scores[:, :-10].mean() < 0.2
