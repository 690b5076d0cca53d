"""memup predict and memup export."""

import json

import numpy as np
import pytest
import tiny

import memup
from memup.cli import main
from memup.data.store import EpisodeStore
from memup.models import file
from memup.runs import tensorfile
from memup.runs.recording import CHECKPOINT

CUES = {
    "training": "supervised",
    "method.target": "label",
    "memory": "rnn",
    "memory.size": 6,
    "encoder.size": 6,
    "method.width": 6,
    "method.window": 4,
    "method.updates": 20,
    "method.updates_per_call": 10,
    "method.batch_size": 4,
    "detect.updates": 50,
}


def cues(count, seed, axis=2):
    """Sequences of several lengths whose last step asks for what the first one showed."""
    rng, found = np.random.default_rng(seed), []
    for cue in rng.integers(2, size=count):
        steps = int(rng.integers(5, 9))
        obs, label = np.zeros((steps, axis), np.float32), np.full(steps, -1)
        obs[0, 0], obs[-1, 1], label[-1] = 2 * cue - 1, 1, cue
        found.append({"obs": obs, "label": label})
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model file of a supervised run, and new sequences in a store."""
    folder = tmp_path_factory.mktemp("predict")
    store = EpisodeStore.from_episodes(cues(48, 0))
    memup.train(memup.spec(**CUES), store=store).save(folder / "model.safetensors")
    EpisodeStore.from_episodes(cues(10, 1), folder / "new")
    return folder


def predict(folder, *more, model="model.safetensors", data="new"):
    return main(["predict", str(folder / model), "--dataset", str(folder / data), *more])


def refused(capsys, code):
    said = capsys.readouterr()
    assert code == 2 and said.out == "" and said.err.count("\n") == 1
    return said.err


def test_predictions_and_memories_of_every_sequence(folder, capsys):
    output = folder / "out.npz"
    assert predict(folder, "--output", str(output), "--json") == 0
    row = json.loads(capsys.readouterr().out)
    model, store = memup.load(folder / "model.safetensors"), EpisodeStore.open(folder / "new")
    told, memories = model.predict(store), model.memory_of(store)
    right = [t["value"][-1] == store.episode(i)["label"][-1] for i, t in enumerate(told)]
    assert row["sequences"] == 10 and row["steps"] == sum(len(m) for m in memories)
    assert row["predicts"] == "label" and row["accuracy"] == pytest.approx(np.mean(right))
    with np.load(output) as found:
        assert found["classes"].tolist() == [0, 1] and found["classes"].dtype == np.int64
        for i, (said, memory) in enumerate(zip(told, memories, strict=True)):
            np.testing.assert_allclose(found[f"{i}.memory"], memory, atol=1e-6)
            np.testing.assert_array_equal(found[f"{i}.value"], said["value"])
            np.testing.assert_allclose(found[f"{i}.probability"], said["probability"], atol=1e-6)


def test_a_summary_without_a_file(folder, capsys):
    assert predict(folder) == 0
    assert "10 sequences" in capsys.readouterr().out


def test_arrays_alone_are_sequences_too(folder):
    model = memup.load(folder / "model.safetensors")
    new = [one["obs"] for one in cues(3, 2)]
    told, named = model.predict(new), model.predict([{"obs": obs} for obs in new])
    for a, b in zip(told, named, strict=True):
        np.testing.assert_array_equal(a["probability"], b["probability"])
    # Without actions a step needs the observation alone.
    carry = model.begin()
    for obs in new[0]:
        carry, m = model.step(carry, obs)
    np.testing.assert_allclose(m, model.memory_of(new)[0][-1], atol=1e-5)


def test_export_writes_a_file_that_predicts_the_same(folder, tmp_path, capsys):
    copy = tmp_path / "copy.safetensors"
    assert main(["export", str(folder / "model.safetensors"), str(copy)]) == 0
    assert "memup.Model" in capsys.readouterr().out
    (one, about), (other, same) = (
        tensorfile.read(path, file.KIND, file.VERSION)
        for path in (copy, folder / "model.safetensors")
    )
    assert about == same and one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


def test_export_of_a_run(tmp_path):
    assert main(["export", str(tiny.finished_run()), str(tmp_path / "m.safetensors")]) == 0
    assert memup.load(tmp_path / "m.safetensors").can_act


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda arrays, about: arrays.popitem(), "lacks the weights 'model."),
        (lambda arrays, about: arrays.update(more=np.zeros(2)), "holds 'more', which"),
        (lambda arrays, about: about["options"].update({"memory.size": 7}), "by its options"),
        (lambda arrays, about: about["options"].update({"memory": "nonsense"}), "unknown memory"),
        (lambda arrays, about: about["options"].update({"method.old": 1}), "unknown field"),
    ],
)
def test_a_file_whose_parts_do_not_fit(folder, tmp_path, capsys, change, match):
    arrays, about = tensorfile.read(folder / "model.safetensors", file.KIND, file.VERSION)
    change(arrays, about)
    tensorfile.write(tmp_path / "bad.safetensors", file.KIND, file.VERSION, arrays, about)
    assert match in refused(capsys, main(["export", str(tmp_path / "bad.safetensors"), "x"]))


def test_files_that_are_no_models(folder, tmp_path, capsys, monkeypatch):
    def said(path):
        return refused(capsys, main(["export", str(path), str(tmp_path / "x")]))

    assert "no model file at" in said(tmp_path / "none")
    assert "it is a checkpoint" in said(tiny.finished_run() / "checkpoints" / CHECKPOINT)
    assert "has no model.safetensors" in said(tmp_path)
    data = (folder / "model.safetensors").read_bytes()
    (tmp_path / "cut").write_bytes(data[:-5])
    assert "damaged or cut off" in said(tmp_path / "cut")
    (tmp_path / "flip").write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    assert "damaged" in said(tmp_path / "flip")
    monkeypatch.setattr(file, "VERSION", "2")
    assert "version '1', expected '2'" in said(folder / "model.safetensors")
    assert not (tmp_path / "x").exists()


def test_data_that_does_not_fit(folder, capsys):
    EpisodeStore.from_episodes(cues(4, 0, axis=3), folder / "wide")
    EpisodeStore.from_episodes([{"image": np.zeros((4, 2))}], folder / "other")
    output = folder / "never.npz"
    wide = refused(capsys, predict(folder, "--output", str(output), data="wide"))
    assert "field 'obs' has shape" in wide and "expected [T, 2]" in wide
    assert "has no field 'obs'" in refused(capsys, predict(folder, data="other"))
    assert "there is no episode store" in refused(capsys, predict(folder, data="none"))
    assert "expected a .npz" in refused(capsys, predict(folder, "--output", "x.txt"))
    assert not output.exists() and not list(folder.glob(".never*"))


def test_a_model_without_a_policy_says_so(folder):
    model = memup.load(folder / "model.safetensors")
    with pytest.raises(memup.MemupError, match="the model has no policy"):
        model.act(model.begin(), np.zeros(2))
