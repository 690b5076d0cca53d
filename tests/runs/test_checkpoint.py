"""Checkpoints: what comes back, and what a damaged or strange file does."""

import subprocess
import sys
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.runs import checkpoint


class Leaves(NamedTuple):
    weight: jax.Array
    count: np.ndarray


TREE = {
    "state": Leaves(jnp.arange(6, dtype=jnp.float32).reshape(2, 3), np.array(7)),
    "key": jax.random.key(5),
    "keys": jax.random.split(jax.random.key(1), 3),
    "flag": np.array(True),
    "small": np.array([1, -2], np.int8),
    "empty": (np.zeros((0, 4)), ()),
    "nan": np.array([np.nan, np.inf], np.float64),
}
ABOUT = {"phase": 2, "facts": {"values": [1.5, None], "name": "ü"}}


@pytest.fixture
def path(tmp_path):
    checkpoint.save(tmp_path / "checkpoints" / "last.safetensors", TREE, ABOUT)
    return tmp_path / "checkpoints" / "last.safetensors"


def bits(leaf):
    is_key = isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)
    array = np.asarray(jax.random.key_data(leaf) if is_key else leaf)
    return str(leaf.dtype), array.shape, array.tobytes()


def one_line(action, match):
    with pytest.raises(MemupError, match=match) as caught:
        action()
    assert "\n" not in str(caught.value)


def test_all_comes_back_bit_for_bit(path):
    back = checkpoint.load(path, TREE)
    assert checkpoint.about(path) == ABOUT
    assert jax.tree.structure(back) == jax.tree.structure(TREE)
    assert jax.tree.map(bits, back) == jax.tree.map(bits, TREE)
    drawn = [jax.random.bits(t["key"]) for t in (back, TREE)]
    assert drawn[0] == drawn[1]
    kinds = jax.tree.map(lambda a: isinstance(a, jax.Array), (back, TREE))
    assert kinds[0] == kinds[1]


def test_saving_again_replaces_and_leaves_nothing_beside(path):
    changed = TREE | {"small": np.array([3, 4], np.int8)}
    checkpoint.save(path, changed, {"phase": 3})
    assert checkpoint.load(path, TREE)["small"].tolist() == [3, 4]
    assert checkpoint.about(path) == {"phase": 3}
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_cut_off_file(path, share):
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    one_line(lambda: checkpoint.load(path, TREE), "damaged or cut off")
    one_line(lambda: checkpoint.about(path), "damaged or cut off")


def test_any_flipped_byte_is_found(path):
    data = path.read_bytes()
    for place in [*range(0, len(data), 7), len(data) - 1]:
        broken = bytearray(data)
        broken[place] ^= 0x10
        path.write_bytes(bytes(broken))
        with pytest.raises(MemupError) as caught:
            checkpoint.load(path, TREE)
        assert "\n" not in str(caught.value), place


def test_a_missing_file_or_another_kind_of_file(path, tmp_path):
    one_line(lambda: checkpoint.about(tmp_path / "none"), "no checkpoint at")
    path.write_bytes(b"\x80\x04pickle" * 9)
    one_line(lambda: checkpoint.load(path, TREE), "damaged")


def test_another_version(path, monkeypatch):
    monkeypatch.setattr(checkpoint, "VERSION", "2")
    one_line(lambda: checkpoint.load(path, TREE), "version '1', expected '2'")


@pytest.mark.parametrize(
    "other, match",
    [
        (TREE | {"more": np.zeros(2)}, "no .*more.*of another run"),
        (TREE | {"small": np.zeros(3, np.int8)}, r"int8\[2\], expected int8\[3\]"),
        (TREE | {"small": np.zeros(2, np.int16)}, r"int8\[2\], expected int16\[2\]"),
    ],
)
def test_the_tree_of_another_run(path, other, match):
    one_line(lambda: checkpoint.load(path, other), match)


FULL = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from memup.runs import checkpoint
from memup.core.errors import MemupError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    checkpoint.save(Path(sys.argv[1]), {"big": np.zeros(10_000)}, {})
except MemupError as error:
    print(error)
"""


def test_a_full_disk_keeps_the_old_checkpoint(path):
    before = path.read_bytes()
    command = [sys.executable, "-c", FULL, str(path)]
    lines = subprocess.check_output(command, text=True).splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"cannot write {path}")
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
