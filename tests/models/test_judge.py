"""A run is judged by its model file: no store, no checkpoint; data only where asked for."""

import shutil

import numpy as np
import pytest
import tiny

import memup
from memup.core.errors import MemupError
from memup.data.store import EpisodeStore
from memup.runs.rundir import RunDir

SMALL = {
    "training": "supervised",
    "memory": "rnn",
    "memory.size": 4,
    "method.target": "label",
    "method.updates": 20,
    "method.window": 5,
    "detect.updates": 50,
    "evaluate.episodes": 32,
}


def without_rates(row):
    return {n: v for n, v in row.items() if n not in ("name", "run", "env", "steps_per_second")}


def stripped(path):
    for folder in ("store", "checkpoints"):
        shutil.rmtree(path / folder, ignore_errors=True)
    return path


def test_an_agent_needs_no_store(tmp_path):
    path = stripped(tiny.copy_of_finished_run(tmp_path))
    row = memup.evaluate(path, episodes=8, seed=0)
    assert row["env"] == "tmaze-10" and row["run"] == str(path)
    assert without_rates(row) == without_rates(RunDir.open(path).rows("eval")[0])
    assert memup.evaluate(path, env="tmaze-15", episodes=4)["length_mean"] >= 15
    with pytest.raises(MemupError, match="spaces differ from those of 'tmaze-10'"):
        memup.evaluate(path, env="gym:CartPole-v1")


def test_a_task_needs_no_store(tmp_path):
    spec = memup.spec(**{**SMALL, "task": "copy-3", "collect.episodes": 32})
    run = memup.train(spec, tmp_path / "run")
    row = memup.evaluate(stripped(tmp_path / "run"), episodes=32, seed=0)
    assert without_rates(row) == without_rates(run.results[-1])
    assert memup.evaluate(tmp_path / "run", task="copy-9", episodes=4)["questions"] == 40
    with pytest.raises(MemupError, match="observations differ"):
        memup.evaluate(tmp_path / "run", task="adding-10")


def data(path, count, seed, high=3, steps=9, **more):
    rng = np.random.default_rng(seed)
    episodes = []
    for _ in range(count):
        obs = rng.integers(0, high, (steps, 2))
        episodes.append({"obs": obs.astype(np.float32), "label": obs[:, 0], **more})
    return EpisodeStore.from_episodes(episodes, path=path)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judge")
    data(folder / "data", 64, 0)
    memup.train(memup.spec(**SMALL, dataset=str(folder / "data")), folder / "run")
    return folder / "run"


def test_a_data_set_is_judged_by_what_was_held_out(run):
    row = memup.evaluate(run)
    assert without_rates(row) | {"seed": 0} == without_rates(RunDir.open(run).rows("eval")[0])
    same = memup.evaluate(run, dataset=run.parent / "data")
    assert same["episodes"] == row["episodes"] < 16, "the run's own data under its path"


def test_another_data_set_is_judged_whole(run, tmp_path):
    data(tmp_path / "other", 20, 1, steps=12)
    row = memup.evaluate(run, dataset=tmp_path / "other")
    assert (row["episodes"], row["questions"]) == (20, 240)
    told = memup.load(run).predict(str(tmp_path / "other"))
    store = EpisodeStore.open(tmp_path / "other")
    right = [
        t["value"] == store.episode(int(i))["label"] for t, i in zip(told, store.ids, strict=True)
    ]
    assert row["accuracy"] == pytest.approx(np.mean(right))
    assert memup.evaluate(run, dataset=str(tmp_path / "other"), episodes=5)["episodes"] == 5


def test_data_that_do_not_fit(run, tmp_path):
    data(tmp_path / "classes", 3, 1, high=5)
    with pytest.raises(MemupError, match=r"the outcome [34] was never seen in training; expected"):
        memup.evaluate(run, dataset=tmp_path / "classes")
    EpisodeStore.from_episodes([{"obs": np.zeros((4, 2), np.float32)}], path=tmp_path / "none")
    with pytest.raises(MemupError, match="no field 'label'"):
        memup.evaluate(run, dataset=tmp_path / "none")
    wide = {"obs": np.zeros((4, 3), np.float32), "label": np.zeros(4, int)}
    EpisodeStore.from_episodes([wide], path=tmp_path / "wide")
    with pytest.raises(MemupError, match=r"'obs' has shape \[4, 3\]; expected \[T, 2\]"):
        memup.evaluate(run, dataset=tmp_path / "wide")
    with pytest.raises(MemupError, match="env and dataset: expected one of"):
        memup.evaluate(run, dataset=tmp_path / "wide", env="tmaze-10")


def test_a_data_set_that_has_changed_is_not_judged_as_if_it_had_not(run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    shutil.rmtree(run.parent / "data")
    data(run.parent / "data", 63, 0)
    with pytest.raises(MemupError, match="the data set has changed since the run"):
        memup.evaluate(copy)
