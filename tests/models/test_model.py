"""A model apart from its run: step by step as whole sequences, and no run is needed."""

import shutil
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

import memup
from memup.api import reopen
from memup.core.errors import MemupError
from memup.core.types import Query, TimeStep
from memup.data.store import EpisodeStore
from memup.models import sequences as reading


@pytest.fixture(scope="module")
def model():
    return memup.load(tiny.finished_run())


@pytest.fixture(scope="module")
def store():
    return EpisodeStore.open(tiny.finished_run() / "store")


@pytest.fixture(scope="module")
def episodes(store):
    """Episodes of different lengths, as a list of dicts."""
    found = [store.episode(int(i)) for i in store.ids[:5]]
    return [{n: a[: 3 + 2 * k] for n, a in one.items()} for k, one in enumerate(found)]


def step_through(model, one):
    carry, out = model.begin(), []
    for t in range(len(one["reward"])):
        before = None if t == 0 else one["action"][t - 1]
        carry, m = model.step(carry, one["obs"][t], before, one["reward"][t])
        out.append(m)
    return np.stack(out)


def test_step_by_step_equals_whole_sequences(model, episodes):
    for one, whole in zip(episodes, model.memory_of(episodes), strict=True):
        assert whole.shape == (len(one["obs"]), 6) and whole.dtype == np.float32
        np.testing.assert_allclose(step_through(model, one), whole, atol=1e-5)


def test_rows_side_by_side_begin_again_where_they_are_told(model, episodes):
    one = episodes[4]
    carry, out = model.begin(2), []
    for t in range(len(one["obs"])):
        again = [t == 0, t in (0, 4)]
        obs, before = np.stack([one["obs"][t], one["obs"][t]]), one["action"][[t - 1, t - 1]]
        carry, m = model.step(carry, obs, before, one["reward"][[t, t]], first=again)
        out.append(m)
    whole, tail = model.memory_of([one, {n: a[4:] for n, a in one.items()}])
    np.testing.assert_allclose(np.stack(out)[:, 0], whole, atol=1e-5)
    np.testing.assert_allclose(np.stack(out)[4:, 1], tail, atol=1e-5)


def test_blocks_change_nothing(model, episodes, monkeypatch):
    whole, told = model.memory_of(episodes), model.predict(episodes)
    monkeypatch.setattr(reading, "LONGEST_BLOCK", 4)
    monkeypatch.setattr(reading, "ROWS", 2)
    fresh = memup.load(tiny.finished_run())
    for a, b in zip(whole, fresh.memory_of(episodes), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    for a, b in zip(told, fresh.predict(episodes), strict=True):
        np.testing.assert_allclose(a["probability"], b["probability"], atol=1e-5)


def test_mapped_arrays_and_stores_are_read_as_lists_are(model, store, tmp_path):
    one = store.episode(int(store.ids[0]))
    np.save(tmp_path / "obs.npy", one["obs"])
    mapped = {**one, "obs": np.load(tmp_path / "obs.npy", mmap_mode="r")}
    [a] = model.memory_of([mapped])
    for given in (store, str(tiny.finished_run() / "store")):
        np.testing.assert_allclose(model.memory_of(given)[0], a, atol=1e-6)


def test_predictions_are_those_of_the_run(model, store):
    """The likeliest reward of every step, by the run's own learner."""
    job = reopen(tiny.finished_run()).job
    learner = next(p for p in job.phases if p.name == "memory").learner
    trained = learner.model(job.workspace.results["model"])
    told = model.predict(store)
    assert model.classes.tolist() == [-3.0, 0.0, 4.0]
    memory = model.memory_of(store)
    for number in (0, 7):
        one, said = store.episode(int(store.ids[number])), told[number]
        steps = len(one["obs"])
        assert said["step"].tolist() == list(range(steps))
        assert said["probability"].shape == (steps, 3) and said["value"].shape == (steps,)
        np.testing.assert_allclose(said["probability"].sum(1), 1, atol=1e-5)
        at = steps - 2
        asked = Query(one["obs"][at], one["action"][at])
        params = trained.predictor(jnp.asarray(memory[number][at]), asked)
        wanted = np.exp(np.asarray(trained.likelihood._log_probs(params)))[0]
        np.testing.assert_allclose(said["probability"][at], wanted, atol=1e-5)


def test_the_last_step_alone(model, episodes):
    every, last = model.predict(episodes), model.predict(episodes, steps="last")
    for a, b in zip(every, last, strict=True):
        assert b["step"].tolist() == [len(a["step"]) - 1]
        np.testing.assert_allclose(a["probability"][-1:], b["probability"], atol=1e-6)


def test_actions_are_those_of_the_run(model, episodes):
    """The agent of the run, fed the same steps, chooses the same."""
    run = reopen(tiny.finished_run())
    agent = next(p for p in run.job.phases if p.name == "policy").agent
    state, one = run.job.workspace.results["agent"], episodes[4]
    carry, ours = agent.begin(state, 1), model.begin()
    for t in range(len(one["obs"])):
        no, reward = np.zeros(1, bool), one["reward"][t][None]
        step = TimeStep(one["obs"][t][None], reward, no, no, np.array([t == 0]), reward)
        carry, wanted, _ = agent.act(state, carry, step, key=jax.random.key(0), greedy=True)
        ours, action = model.act(ours, one["obs"][t], reward=one["reward"][t])
        assert action.shape == () and int(action) == int(wanted[0])
    np.testing.assert_allclose(ours.state.memory, carry.memory, atol=1e-6)


def test_drawn_actions_come_from_the_seed(model, episodes):
    def drawn(seed):
        carry, actions = model.begin(64, seed=seed), []
        for t in range(3):
            obs = np.repeat(episodes[4]["obs"][t][None], 64, axis=0)
            carry, action = model.act(carry, obs, reward=np.zeros(64), greedy=False)
            actions.append(action)
        return np.stack(actions)

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert (drawn(1) != drawn(2)).any() and len(np.unique(drawn(1))) > 1


ALONE = """
import sys
import numpy as np
import memup

model = memup.load(sys.argv[1])
given = np.load(sys.argv[2])
print(model)
one = {"obs": given["obs"], "action": given["action"], "reward": given["reward"]}
[memory], [said] = model.memory_of([one]), model.predict([one])
carry, action = model.act(model.begin(), one["obs"][0])
np.savez(sys.argv[3], memory=memory, probability=said["probability"], action=action)
"""


def test_an_exported_model_needs_no_run(tmp_path, episodes, model):
    run = tiny.copy_of_finished_run(tmp_path)
    memup.load(run).save(tmp_path / "model.safetensors")
    shutil.rmtree(run)
    np.savez(tmp_path / "given.npz", **episodes[3])
    command = [sys.executable, "-c", ALONE, "model.safetensors", "given.npz", "out.npz"]
    shown = subprocess.check_output(command, cwd=tmp_path, text=True)
    assert "agent='ppo'" in shown and "tmaze-10" in shown
    with np.load(tmp_path / "out.npz") as out:
        np.testing.assert_allclose(out["memory"], model.memory_of([episodes[3]])[0], atol=1e-6)
        told = model.predict([episodes[3]])[0]["probability"]
        np.testing.assert_allclose(out["probability"], told, atol=1e-6)
        assert out["action"] in (0, 1)


BAD = [
    ({"obs": None}, "sequence 0 has no field 'obs'.*expected obs, action, reward"),
    ({"obs": np.zeros((4, 5))}, r"field 'obs' has shape \[4, 5\]; expected \[T, 3\]"),
    ({"action": np.zeros(9, int)}, r"field 'action' has shape \[9\]; expected \[4\]"),
    ({"action": np.full(4, 9)}, "field 'action' holds 9; expected 0 to 1"),
    ({"obs": np.full((4, 3), 0.5)}, "field 'obs' has numbers that are not whole"),
    ({"reward": np.array([0, np.nan, 0, 0])}, "field 'reward' is not finite"),
]


@pytest.mark.parametrize("change, match", BAD)
def test_sequences_that_do_not_fit(model, change, match):
    one = {"obs": np.zeros((4, 3), np.int8), "action": np.zeros(4, int), "reward": np.zeros(4)}
    one = {n: a for n, a in (one | change).items() if a is not None}
    with pytest.raises(MemupError, match=match) as caught:
        model.predict([one])
    assert "\n" not in str(caught.value)


def test_steps_that_do_not_fit(model):
    obs = np.zeros(3, np.int8)
    with pytest.raises(MemupError, match=r"'obs' has shape \[2\]; expected \[3\]"):
        model.act(model.begin(), obs[:2])
    with pytest.raises(MemupError, match=r"'obs' has shape \[3\]; expected \[2, 3\]"):
        model.act(model.begin(2), obs)
    carry, _ = model.step(model.begin(), obs)
    with pytest.raises(MemupError, match="prev_action is missing"):
        model.step(carry, obs)
    carry, _ = model.act(model.begin(), obs)
    with pytest.raises(MemupError, match="reward is missing"):
        model.act(carry, obs)
    with pytest.raises(MemupError, match="'prev_action' holds 7; expected 0 to 1"):
        model.act(carry, obs, prev_action=7, reward=0.0)
    with pytest.raises(MemupError, match="unknown steps 'lst'; did you mean 'last'"):
        model.predict([], steps="lst")
