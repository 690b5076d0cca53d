"""When the memory phase may stop."""

import pytest
import tiny

import memup
from memup.phases import memory
from memup.phases.memory import progress
from memup.runs.rundir import RunDir


@pytest.mark.parametrize(
    ("categories", "held", "best", "without", "expected"),
    [
        (True, 0.001, 0.001, 0.69, (True, True)),
        (True, 0.3, 0.3, 0.69, (False, True)),
        (True, 0.6, 0.6, 0.69, (False, False)),
        # Real numbers: below zero is not the end, and a loss below zero need not be learned.
        (False, -0.6, -0.6, 0.5, (False, True)),
        (False, 0.001, 0.001, 0.2, (False, False)),
        (False, -1.1, -1.1, -1.0, (False, False)),
    ],
)
def test_nothing_left_to_learn_and_something_learned(categories, held, best, without, expected):
    assert progress(categories, held, best, without) == expected


def test_nothing_is_judged_before_rows_grow_old(tmp_path, monkeypatch):
    """All checks say that nothing is left to learn; only those after half of the updates count."""
    monkeypatch.setattr(memory, "progress", lambda *_: (True, True))
    more = {"agent": "greedy", "method.order": "jump", "method.updates": 200}
    more |= {"method.order.long_after": 0.5, "method.order.burn_in": 4}
    fields = {n: v for n, v in tiny.FIELDS.items() if not n.startswith(("agent", "joint"))}
    memup.train(memup.spec(**{**fields, **more}), tmp_path / "run")
    rows = RunDir.open(tmp_path / "run").rows("metrics")
    assert [row["updates"] for row in rows if row["phase"] == "memory"][-1] == 100
