"""Fields: what is unknown or impossible is one line with the nearest valid name."""

import numpy as np
import pytest
from hand_store import hand_store

import memup
from memup.core.errors import MemupError
from memup.memories.table import MEMORIES
from memup.specs.general import GENERAL
from memup.specs.presets import PRESETS, preset, spec
from memup.specs.spec import make_spec

ENV = {"env": "tmaze-10"}


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"env": "tmaze10"}, "tmaze"),
        ({"env": "tmaze--3"}, "-3"),
        ({"env": "tmaze-0"}, "length=0: expected at least 1"),
        ({"env": "maze"}, "unknown environment 'maze'"),
        ({"memory": "lsmt"}, "did you mean 'lstm'?"),
        ({"agent": "pppo"}, "did you mean 'ppo'?"),
        ({"method.detector": "entorpy"}, "did you mean 'entropy'?"),
        ({"method.selector": "top-k+curent"}, "did you mean 'current'?"),
        ({"method.selector": "top-k+"}, "selector ''"),
        ({"method.order": "sequental"}, "did you mean 'sequential'?"),
        ({"method.target": "rewards"}, "did you mean 'reward'?"),
        ({"training": "two-phases"}, "did you mean 'two-phase'?"),
        ({"method.windwo": 3}, "did you mean 'method.window'?"),
        ({"memory.sizes": 3}, "did you mean 'memory.size'?"),
        ({"method.order": "staggered", "method.order.rare": 4}, "'method.order.rare'"),
        ({"method.selector.temperature": 1}, "unknown field 'method.selector.temperature'"),
        ({"joint.updates": 1}, "unknown field 'joint.updates'"),
        ({"memory": "none", "memory.size": 3}, "unknown field 'memory.size'"),
        ({"method.window": 0}, "method.window=0: expected at least 1"),
        ({"method.targets": "0"}, "method.targets=0: expected at least 1"),
        (
            {"method.target": "return", "method.target.gamma": 2},
            "method.target.gamma=2.0: expected at most 1.0",
        ),
        ({"method.target": "return", "method.target.gamma": "nan"}, "method.target.gamma=nan"),
        ({"method.window": 2.5}, "method.window=2.5: expected int"),
        ({"method.window": "ten"}, "method.window='ten': expected int"),
        ({"seed": -1}, "seed=-1: expected at least 0"),
        ({"method.query_stride": 21}, "expected at most method.window=20"),
        (
            {"method.order.segment_length": 7},
            "method.order.segment_length=7: expected a divisor of method.window=20",
        ),
        (
            {"method.order.segment_length": 4},
            "method.order.segments=4: expected a multiple of the 5 segments",
        ),
        (
            {"agent": "merlin", "training": "end-to-end", "method.events": 3},
            "method.events=3: expected stored episodes",
        ),
        ({"training": "end-to-end", "encoder.dropout": 0.5}, "encoder.dropout=0.5: an agent that"),
        (
            {"training": "end-to-end", "method.state_reset_prob": 0.1},
            "method.state_reset_prob=0.1: an agent that",
        ),
        ({"encoder.dropout": 1}, "encoder.dropout=1.0: expected at most 0.99"),
        ({"agent.environments": 6}, "agent.minibatches=4: expected a divisor"),
        ({"training": "supervised"}, "expected a dataset"),
        ({"agent": "greedy", "training": "joint"}, "learns nothing; expected 'two-phase'"),
        ({"agent": "greedy", "method.target": "next-observation"}, "needs 'reward' or 'return'"),
        ({"dataset": "x"}, "expected one of them"),
        ({"task": "copy-5"}, "env and task: expected one of them"),
        ({"agent": "r2d2", "agent.burn_in": 40}, "expected less than agent.sequence=40"),
        ({"agent": "r2d2", "agent.replay": 39}, "expected at least agent.sequence=40"),
        ({"agent": "r2d2", "agent.replay": 640}, "agent.batch_size=64: expected at most the 20"),
        ({"agent": "r2d2", "agent.minibatches": 4}, "unknown field 'agent.minibatches'"),
        ({"agent": "impala-st", "memory.timescale": 4}, "unknown field 'memory.timescale'"),
        ({"training": "joint", "method.detector": "surprise"}, "in joint training"),
        ({"method.target": "q-value"}, "training='two-phase': target 'q-value' needs an agent"),
        (
            {
                "training": "joint",
                "method.target": "q-value",
                "method.target.family": "categorical",
            },
            "unknown field 'method.target.family'",
        ),
    ],
    ids=str,
)
def test_what_cannot_be(given, expected):
    with pytest.raises(MemupError) as caught:
        make_spec({**ENV, **given})
    assert expected in str(caught.value) and "\n" not in str(caught.value)


def test_a_dataset_needs_supervised_training():
    with pytest.raises(MemupError, match="a dataset has no environment"):
        make_spec({"dataset": "x"})
    with pytest.raises(MemupError, match=r"nowhere.*no episode store"):
        memup.train(spec(dataset="nowhere", training="supervised"))
    with pytest.raises(MemupError, match="no environment"):
        memup.train(spec())


def test_text_and_values_are_the_same():
    typed = make_spec({**ENV, "method.window": 7, "agent.gamma": 0.5, "seed": 3})
    assert typed == make_spec({**ENV, "method.window": "7", "agent.gamma": "0.5", "seed": "3"})
    assert (
        typed["method.window"] == 7
        and typed["method.batch_size"] == GENERAL["method.batch_size"].default
    )
    assert make_spec(typed) == typed


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets(name):
    made = preset(name, seed=2, method__window=50)
    assert made["seed"] == 2 and made["method.window"] == 50
    assert made["env"].startswith("tmaze-") or name.startswith(made["task"])
    assert f"memup train {name}" in PRESETS[name].__doc__


def test_a_preset_with_another_agent_leaves_out_the_fields_of_its_own():
    made = preset("tmaze-100", agent="greedy")
    assert made["agent"] == "greedy" and "agent.hidden" not in made
    with pytest.raises(MemupError, match=r"unknown field 'agent\.hidden'"):
        preset("tmaze-100", agent="greedy", agent__hidden=3)


@pytest.mark.parametrize("memory", sorted(MEMORIES))
def test_a_preset_with_another_memory_takes_its_default_where_its_own_value_is_none(memory):
    """Copy's presets have a time scale of 0, which several memories refuse."""
    own = MEMORIES[memory].options
    for name in ("copy-1000", "copy-10000"):
        made = preset(name, memory=memory)
        assert made["memory"] == memory and made.options("memory").keys() == own.keys()
    if memory == "rmt":
        assert made["memory.timescale"] == own["timescale"].default
        assert made.replace({"memory": "lstm"}).replace({"memory": memory}) == made
        with pytest.raises(MemupError, match="expected at least 2"):
            preset(name, memory=memory, memory__timescale=0)


def test_a_preset_with_another_order_leaves_out_the_fields_of_its_own():
    made = preset("scattered-copy-1000", method__order="staggered")
    assert made["method.order"] == "staggered" and "method.order.segments" not in made
    selected = preset("tmaze-100", **{"method.selector": "current+temperature"})
    assert selected["method.selector.temperature"] == 0.25
    assert selected.replace({"training": "joint"})["joint.updates"] == 100


def test_an_unknown_preset():
    with pytest.raises(MemupError, match="did you mean 'tmaze-100'"):
        preset("tmaze-1001")


def test_replace_keeps_what_still_exists():
    base = preset("tmaze-100", **{"memory.size": 9, "method.window": 5})
    changed = base.replace({"memory": "none"})
    assert changed["memory"] == "none" and "memory.size" not in changed
    assert changed["method.window"] == 5 and base.options("memory")["size"] == 9
    with pytest.raises(MemupError, match="expected at least 1"):
        base.replace({"method.window": 0})


SUPERVISED = {
    "training": "supervised",
    "method.target": "label",
    "memory": "rnn",
    "memory.size": 4,
    "detect.updates": 50,
    "method.updates": 10,
    "method.batch_size": 2,
    "method.updates_per_call": 5,
    "method.window": 6,
    "encoder.size": 4,
    "method.width": 4,
}


def test_an_empty_store():
    with pytest.raises(MemupError, match="the store is empty"):
        memup.train(spec(**SUPERVISED), store=memup.EpisodeStore())


def test_a_store_without_labels():
    with pytest.raises(MemupError, match="no field 'label'"):
        memup.train(spec(**SUPERVISED), store=hand_store([5, 5]))
    nothing = hand_store([5, 5], lambda n: {"label": np.full(n, -1)})
    with pytest.raises(MemupError, match="no step of the store has an outcome"):
        memup.train(spec(**SUPERVISED), store=nothing)


def test_only_episodes_of_one_step():
    with pytest.raises(MemupError, match="outcome"):
        memup.train(spec(**{**SUPERVISED, "method.target": "reward"}), store=hand_store([1, 1, 1]))


SHORT = [3, 1, 4, 2, 3, 1, 5, 3, 2, 1, 4, 3, 1, 2, 3, 4, 1, 3, 1]


def short_episodes():
    """Of one step, and shorter than the window."""
    return hand_store(SHORT, lambda n: {"label": np.arange(n) % 2})


@pytest.mark.parametrize("target", ["label", "reward"])
def test_short_episodes_work(target):
    rows = []
    made = spec(**{**SUPERVISED, "method.target": target})
    [row] = memup.train(made, store=short_episodes(), on_row=rows.append).results
    assert np.isfinite(row["loss"]) and row["episodes"] == 1, "one of 19 is held out"
    assert {r["phase"] for r in rows} == {"detect", "memory", "evaluate", "explain"}


def test_what_was_passed_in_can_be_gone_on_with(tmp_path):
    """The store of the second start is new: nothing that the first one wrote beside it is there."""
    made, starts = spec(**{**SUPERVISED, "method.target": "label"}), []

    def stop(row):
        starts.append(row["phase"])
        if row["phase"] == "memory":
            raise KeyboardInterrupt

    whole = memup.train(made, tmp_path / "whole", store=short_episodes())
    with pytest.raises(KeyboardInterrupt):
        memup.train(made, tmp_path / "cut", store=short_episodes(), on_row=stop)
    again = memup.train(made, tmp_path / "cut", store=short_episodes())
    assert starts.count("memory") == 1
    models = [run.job.workspace.results["model"] for run in (whole, again)]
    np.testing.assert_array_equal(*models)


def test_an_agent_may_have_a_default_memory_of_its_own():
    assert spec(**ENV)["memory"] == "lstm"
    assert spec(agent="impala-st", **ENV)["memory"] == "gtrxl"
    assert spec(agent="impala-st", memory="gru", **ENV)["memory"] == "gru"
    assert preset("tmaze-100", agent="impala-st")["memory"] == "gtrxl"
    assert spec(agent="a2c", **ENV)["agent.rollout"] == 32
