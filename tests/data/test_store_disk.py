"""The episode store on disk: what stays after a reopening, and what is refused."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.data.store import EpisodeStore


def episode(n, start=0):
    step = np.arange(start, start + n)
    return {
        "obs.cue": np.stack([step, step + 1], axis=1).astype(np.int8),
        "action": step.astype(">i4"),
        "reward": step.astype(np.float16),
        "terminated": step == start + n - 1,
    }


@pytest.fixture
def path(tmp_path):
    store = EpisodeStore.from_episodes([episode(i + 1, 10 * i) for i in range(6)], tmp_path / "s")
    store.set_scores([1, 3], np.arange(6))
    return tmp_path / "s"


def same(store, id, expected):
    for name, values in expected.items():
        got = store.episode(id)[name]
        assert got.dtype == values.dtype
        np.testing.assert_array_equal(got, values)


def test_a_store_is_the_same_after_reopening(path):
    store = EpisodeStore.open(path)
    assert (len(store), store.steps) == (6, 21)
    for i in range(6):
        same(store, i, episode(i + 1, 10 * i))
    assert store.scores(3).tolist() == [2, 3, 4, 5]
    assert np.isnan(store.scores(2)).all()
    assert store.fields["reward"] == (np.dtype("float16"), ())
    assert store.add(episode(2, 90), score=[1, 2]) == 6
    store.sync()
    assert EpisodeStore(path).scores(6).tolist() == [1, 2]


def test_limit_is_remembered(tmp_path):
    EpisodeStore.from_episodes([episode(1, i) for i in range(5)], tmp_path / "s", limit=3)
    assert EpisodeStore(tmp_path / "s").ids.tolist() == [2, 3, 4]
    with pytest.raises(MemupError, match=r"limit=4: .* was made with limit=3"):
        EpisodeStore(tmp_path / "s", limit=4)


def test_nothing_is_dropped_before_it_is_released(tmp_path):
    store = EpisodeStore(tmp_path / "s", limit=3)
    for i in range(30):
        store.add(episode(4, i))
    store.rollback(10)
    assert store.ids.tolist() == [7, 8, 9]
    for i in range(10, 40):
        store.add(episode(4, i))
    view, size = store.episode(39)["action"], store.nbytes
    store.release(38)
    assert view.tolist() == [39, 40, 41, 42]
    assert store.nbytes < size / 4
    store = EpisodeStore(tmp_path / "s")
    store.rollback(38)
    assert store.ids.tolist() == [35, 36, 37]
    same(store, 35, episode(4, 35))
    with pytest.raises(MemupError, match="those before 35 were dropped"):
        store.rollback(37)
    assert store.add(episode(2)) == 38
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == ["rows-35", "store.json"]


def test_a_reader_keeps_what_it_opened_while_the_writer_goes_on(tmp_path):
    writer = EpisodeStore.from_episodes([episode(2, i) for i in range(9)], tmp_path / "s", limit=2)
    reader = EpisodeStore.open(tmp_path / "s")
    writer.release(9)
    writer.add(episode(2, 9))
    assert reader.ids.tolist() == [7, 8]
    same(reader, 7, episode(2, 7))
    assert EpisodeStore.open(tmp_path / "s").ids.tolist() == [8, 9]


def test_opening_writes_nothing_and_the_next_write_removes_leftovers(path):
    action = path / "action.npy"
    with action.open("ab") as file:
        file.write(b"half an epis")
    (path / "rows-3").mkdir()
    before = action.read_bytes()
    store = EpisodeStore.open(path)
    same(store, 5, episode(6, 50))
    assert action.read_bytes() == before
    store.add(episode(1, 7))
    assert action.stat().st_size == 128 + 4 * 22
    assert not (path / "rows-3").exists()
    same(EpisodeStore.open(path), 6, episode(1, 7))


def test_numpy_alone_reads_it(path):
    code = """
import json, pathlib, sys
import numpy as np
path = pathlib.Path(sys.argv[1])
manifest = json.loads((path / "store.json").read_text())
folder = path / manifest["folder"]
index = np.load(folder / "index.npy", mmap_mode="r")
reward = np.load(folder / "reward.npy", mmap_mode="r")
cue = np.load(folder / "obs.cue.npy")
offset, length = index[5 - manifest["first_id"]]
assert "memup" not in sys.modules
print(reward[offset : offset + length].tolist(), cue.dtype, cue.shape)
"""
    run = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    assert run.stdout == f"{[50.0 + i for i in range(6)]} int8 (21, 2)\n", run.stderr


def contents(path):
    return {p: p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("name", ["action.npy", "index.npy", "store.json", "score.npy"])
@pytest.mark.parametrize("keep", [0, 50, -3, None])
def test_a_damaged_file_is_named_and_left_alone(path, name, keep):
    file = path / name
    if keep is None:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:keep])
    before = contents(path)
    for make in (EpisodeStore, EpisodeStore.open):
        with pytest.raises(MemupError) as error:
            make(path)
        assert name in str(error.value) or (name == "store.json" and keep is None)
    assert contents(path) == before


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ("version", 2, "version 2; expected 'memup-episodes' version 1"),
        ("format", "x", "format 'x'"),
        ("folder", "../other", "store.json is damaged"),
        ("fields", {"action": {"dtype": "|O", "shape": []}}, "store.json is damaged"),
        ("fields", {"action": {"dtype": "<i8", "shape": []}}, "action.npy is damaged"),
        ("fields", {"../x": {"dtype": "<i8", "shape": []}}, "store.json is damaged"),
        ("limit", -1, "store.json is damaged"),
    ],
)
def test_a_store_of_another_kind_is_refused(path, entry, value, message):
    manifest = json.loads((path / "store.json").read_text())
    (path / "store.json").write_text(json.dumps(manifest | {entry: value}))
    with pytest.raises(MemupError, match=message):
        EpisodeStore(path)


def test_an_index_that_is_not_end_to_end_is_refused(path):
    index = np.load(path / "index.npy", mmap_mode="r+")
    index[2, 1] = 99
    index.flush()
    with pytest.raises(MemupError, match=r"index\.npy is damaged"):
        EpisodeStore(path)


def test_a_missing_store_and_a_strange_folder_are_refused(tmp_path):
    with pytest.raises(MemupError, match="there is no episode store"):
        EpisodeStore.open(tmp_path / "none")
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(MemupError, match="is no episode store"):
        EpisodeStore(tmp_path)
    with pytest.raises(MemupError, match="cannot write"):
        EpisodeStore(tmp_path / "mine.txt")
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_what_was_refused_leaves_no_trace(path):
    store = EpisodeStore.open(path)
    before = contents(path)
    for bad in (episode(2) | {"reward": [0.0, np.nan]}, {"action": [1]}, {"a/b": [1]}):
        with pytest.raises(MemupError):
            store.add(bad)
    with pytest.raises(MemupError, match="a field has this name"):
        store.set_scores([0], [[1.0]], name="action")
    assert contents(path) == before


def test_other_fields_may_come_when_all_is_rolled_back(path):
    store = EpisodeStore(path)
    old = store.episode(5)["action"]
    store.rollback(0)
    assert len(EpisodeStore.open(path)) == 0
    store.add({"action": np.zeros(2, np.int64), "x": [1, 2]})
    assert old.tolist() == episode(6, 50)["action"].tolist()
    same(EpisodeStore.open(path), 0, {"x": np.array([1, 2])})
    names = ["action.npy", "index.npy", "store.json", "x.npy"]
    assert sorted(p.name for p in path.iterdir()) == names


def test_a_compacted_store_rolls_back_no_further(tmp_path):
    store = EpisodeStore.from_episodes([episode(2)] * 9, tmp_path / "s", limit=1)
    store.release(9)
    store.rollback(9)
    with pytest.raises(MemupError, match="were dropped"):
        store.rollback(8)
    store.add(episode(3, 9))
    assert store.ids.tolist() == [9]


def test_a_store_can_be_copied(path):
    shutil.copytree(path, path.parent / "copy")
    same(EpisodeStore.open(path.parent / "copy"), 4, episode(5, 40))
