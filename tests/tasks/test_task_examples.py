"""Tasks by examples that were worked out by hand."""

import gzip

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.tasks import pixels
from memup.tasks.adding import Adding
from memup.tasks.copy import Copy, ScatteredCopy
from memup.tasks.idx import read_idx
from memup.tasks.pixels import PermutedPixels, enlarge
from memup.tasks.places import places
from memup.tasks.recall import AssociativeRecall, SelectiveRecall
from memup.tasks.table import check_task_id, make_task

RNG = np.random.default_rng


def test_copy_is_ten_symbols_three_blanks_and_ten_questions():
    drawn = Copy(3).draw(2, RNG(0))
    obs = drawn.obs["obs"]
    assert obs.shape == (2, 23)
    assert (obs[:, :10] < 8).all()
    assert (obs[:, 10:13] == 8).all()
    assert (obs[:, 13:] == 9).all()
    assert (drawn.label[:, :13] == 8).all()
    np.testing.assert_array_equal(drawn.label[:, 13:], obs[:, :10])
    assert drawn.asked.sum() == 20


def test_scattered_copy_asks_for_its_symbols_in_their_order():
    drawn = ScatteredCopy(30).draw(50, RNG(0))
    for obs, label in zip(drawn.obs["obs"], drawn.label, strict=True):
        said = obs[obs < 8]
        assert len(said) == 10
        np.testing.assert_array_equal(label[-10:], said)
        assert (obs[-10:] == 9).all()
    firsts = (drawn.obs["obs"] < 8).argmax(axis=1)
    assert len(np.unique(firsts)) > 3


def test_adding_marks_one_number_of_each_half_and_asks_for_their_sum():
    drawn = Adding(9).draw(40, RNG(0))
    number, mark = drawn.obs["obs"][..., 0], drawn.obs["obs"][..., 1]
    assert (mark[:, :4].sum(axis=1) == 1).all()
    assert (mark[:, 4:].sum(axis=1) == 1).all()
    np.testing.assert_allclose(drawn.label[:, -1], (number * mark).sum(axis=1), rtol=1e-6)
    assert (drawn.label[:, :-1] == 0).all()


def test_associative_recall_asks_for_every_name_once():
    drawn = AssociativeRecall(3, 4).draw(40, RNG(0))
    name, value = drawn.obs["obs.name"], drawn.obs["obs.value"]
    for names, values, label in zip(name, value, drawn.label, strict=True):
        shown = dict(zip(names[:3].tolist(), values[:3].tolist(), strict=True))
        assert len(shown) == 3
        assert (names[3:7] == 0).all()
        assert sorted(names[7:].tolist()) == sorted(shown)
        assert label[7:].tolist() == [shown[n] for n in names[7:].tolist()]
    assert (value[:, 3:] == 0).all()


def test_selective_recall_shows_four_cues_in_the_first_half_and_asks_in_the_last_quarter():
    drawn = SelectiveRecall(40).draw(40, RNG(0))
    ask, cue, value = (drawn.obs[f"obs.{n}"] for n in ("ask", "cue", "value"))
    for asks, cues, values, label in zip(ask, cue, value, drawn.label, strict=True):
        shown = {int(c): int(v) for c, v in zip(cues, values, strict=True) if c}
        assert sorted(shown) == [1, 2, 3, 4]
        assert (cues[20:] == 0).all()
        assert (asks[:30] == 0).all()
        asked = np.flatnonzero(asks)
        assert sorted(asks[asked].tolist()) == [1, 2, 3, 4]
        assert [int(label[k]) for k in asked] == [shown[int(asks[k])] for k in asked]
    assert ((cue > 0) == (value > 0)).all()
    assert set(np.unique(drawn.obs["obs.noise"])) == set(range(8))


def test_all_sets_of_places_are_alike_likely():
    chosen = places(60_000, 4, 2, RNG(0))
    assert (chosen[:, 0] < chosen[:, 1]).all()
    _, counts = np.unique(chosen @ np.array([4, 1]), return_counts=True)
    # Six sets, 10,000 of each; five standard deviations are 457.
    assert len(counts) == 6
    assert np.abs(counts - 10_000).max() < 457


def test_enlarging_interpolates_between_the_centres_of_pixels():
    large = enlarge(np.array([[[0.0, 4.0], [0.0, 4.0]]]), 4)
    np.testing.assert_allclose(large[0], np.tile([0.0, 1.0, 3.0, 4.0], (4, 1)))


def test_pixels_are_shuffled_alike_and_test_images_are_others():
    pytest.importorskip("sklearn")
    task = PermutedPixels()
    train, test = task.draw(5000, RNG(0)), task.draw(5000, RNG(0), test=True)
    # 1,797 images; every sixth of a shuffled list, 300, is for tests.
    assert len(train.label) == 1497
    assert len(test.label) == 300
    images = {image.tobytes() for image in train.obs["obs"]}
    assert not any(image.tobytes() in images for image in test.obs["obs"])
    plain = np.zeros_like(train.obs["obs"][0, :, 0])
    plain[task.order] = train.obs["obs"][0, :, 0]
    chosen = RNG(0).permutation(1497)[0]
    np.testing.assert_array_equal(plain.reshape(28, 28), pixels.digits().train[chosen])


def idx_bytes(array):
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return b"\0\0\x08" + bytes([array.ndim]) + sizes + array.tobytes()


def mnist_folder(folder, count=3):
    rng = RNG(0)
    for name in ("train", "t10k"):
        images = rng.integers(256, size=(count, 28, 28), dtype=np.uint8)
        kinds = np.arange(count, dtype=np.uint8)
        (folder / f"{name}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx_bytes(kinds)))
    return folder


def test_mnist_is_read_from_its_four_files(tmp_path):
    task = make_task(f"permuted-pixels:{mnist_folder(tmp_path)}")
    drawn = task.draw(10, RNG(0))
    assert drawn.obs["obs"].shape == (3, 784, 1)
    assert sorted(drawn.label[:, -1].tolist()) == [0, 1, 2]
    assert (drawn.label[:, :-1] == -1).all()


def test_an_idx_file_is_its_numbers(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"\0\0\x08\x02\0\0\0\x02\0\0\0\x03" + bytes([1, 2, 3, 4, 5, 6]))
    np.testing.assert_array_equal(read_idx(path), [[1, 2, 3], [4, 5, 6]])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0\0\x08\x01\0\0\0\x05abc", "has 11 bytes, expected 13 for 5 numbers: it is cut off"),
        (b"\0\0\x08\x02\0\0\0\x05", "cut off within its first 12 bytes"),
        (b"\0\0\x0d\x01\0\0\0\x01abcd", "is no IDX file of bytes"),
        (b"", "is no IDX file of bytes"),
    ],
)
def test_a_damaged_idx_file_is_named(tmp_path, content, said):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(MemupError, match=said) as error:
        read_idx(path)
    assert str(path) in str(error.value)


def test_a_packed_file_that_is_cut_off_is_named(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(bytes(1000))[:-12])
    with pytest.raises(MemupError, match="is the file whole"):
        read_idx(path)


def test_a_missing_file_of_mnist_is_named(tmp_path):
    (mnist_folder(tmp_path) / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(MemupError, match="there is no t10k-labels-idx1-ubyte"):
        make_task(f"permuted-pixels:{tmp_path}").draw(1, RNG(0))


@pytest.mark.parametrize(
    ("task", "said"),
    {
        "copy-0": "blanks=0: expected at least 1",
        "copy--3": "blanks=-3: expected at least 1",
        "copy-x": "blanks='x': expected int",
        "copy-": "expected copy-<blanks> .such as copy-1000",
        "copi-1000": "did you mean 'copy-1000'",
        "scattered-copy": "did you mean 'scattered-copy-1000'",
        "adding-1": "length=1: expected at least 2",
        "selective-recall-15": "length=15: expected at least 16",
        "associative-recall-64-10": "pairs=64: expected at most 63",
        "associative-recall-4": "such as associative-recall-4-1000",
        "permuted-pixels-2": "expected permuted-pixels",
        "permuted-pixels:/no/such": "there is no folder '/no/such'",
        "": "expected one of",
    }.items(),
)
def test_a_mistake_is_one_clear_line(task, said):
    with pytest.raises(MemupError, match=said) as error:
        check_task_id(task)
    assert "\n" not in str(error.value)
