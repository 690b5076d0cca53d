"""When the memory phase may stop."""

import numpy as np
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


def by_chance(sequences=40, length=12):
    """Labels that no step says anything about, each behind noise of its own."""
    rng = np.random.default_rng(0)
    for _ in range(sequences):
        label = np.full(length, -1)
        label[-1] = rng.integers(2)
        yield {"obs": rng.normal(size=(length, 8)).astype(np.float32), "label": label}


def test_what_is_learned_by_heart_ends_and_says_so(tmp_path):
    fields = {"training": "supervised", "method.target": "label", "method.patience": 2}
    fields |= {"memory.size": 32, "method.batch_size": 16, "method.updates": 20_000}
    store = memup.EpisodeStore.from_episodes(list(by_chance()))
    memup.train(memup.spec(**fields), tmp_path / "run", store=store)
    rows = [r for r in RunDir.open(tmp_path / "run").rows("metrics") if r["phase"] == "memory"]
    assert rows[-1]["note"] == memory.KNOWN and rows[-1]["updates"] < 5000
    assert rows[-1]["loss"] < 0.2 * min(r["held_out_loss"] for r in rows if "held_out_loss" in r)


def test_nothing_is_judged_before_rows_grow_old(tmp_path, monkeypatch):
    """All checks say that nothing is left to learn; only those after half of the updates count."""
    monkeypatch.setattr(memory, "progress", lambda *_: (True, True))
    more = {"agent": "greedy", "method.order": "jump", "method.updates": 200}
    more |= {"method.order.long_after": 0.5, "method.order.burn_in": 4}
    fields = {n: v for n, v in tiny.FIELDS.items() if not n.startswith(("agent", "joint"))}
    memup.train(memup.spec(**{**fields, **more}), tmp_path / "run")
    rows = RunDir.open(tmp_path / "run").rows("metrics")
    assert [row["updates"] for row in rows if row["phase"] == "memory"][-1] == 100
