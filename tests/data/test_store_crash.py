"""Writers that are killed and disks that are full."""

import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from memup.data.store import EpisodeStore

WRITER = """
import sys
import numpy as np
from memup.data.store import EpisodeStore
assert "jax" not in sys.modules
path, limit = sys.argv[1], int(sys.argv[2]) or None
store = EpisodeStore(path, limit)
while True:
    i = store.next_id
    n = 1 + i % 7
    store.add({"obs": np.full((n, 3000), i, np.int32), "step": np.arange(n), "id": np.full(n, i)})
    if limit:
        store.release(i + 1)
    print(i, flush=True)
"""


def check(path):
    store = EpisodeStore.open(path)
    for i in store.ids:
        episode, n = store.episode(i), 1 + i % 7
        assert (episode["obs"] == i).all()
        assert episode["obs"].shape == (n, 3000)
        assert episode["step"].tolist() == list(range(n))
        assert episode["id"].tolist() == [i] * n
    return store.next_id


@pytest.mark.parametrize("limit", [0, 4])
def test_a_killed_writer_loses_at_most_the_episode_in_flight(tmp_path, limit):
    path, wait = tmp_path / "s", random.Random(limit)
    done = -1
    for _ in range(4):
        command = [sys.executable, "-c", WRITER, str(path), str(limit)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            first = writer.stdout.readline()
            time.sleep(wait.uniform(0, 0.1))
            if not limit:
                obs = np.load(path / "obs.npy", mmap_mode="r")
                assert (obs[:, 0] == obs[:, -1]).all()
            writer.send_signal(signal.SIGKILL)
            said = [int(line) for line in (first + writer.stdout.read()).split()]
        assert said[0] >= done + 1
        count = check(path)
        assert count - 1 >= said[-1]
        assert count - 1 <= said[-1] + 1
        done = count - 1


FULL = """
import resource, sys
import numpy as np
from memup.data.store import EpisodeStore
from memup.core.errors import MemupError
path, field = sys.argv[1], sys.argv[2]
resource.setrlimit(resource.RLIMIT_FSIZE, (20_100, 20_100))
store = EpisodeStore(path)
try:
    while True:
        i = store.next_id
        store.add({"a": np.full(9, i, np.int8), field: np.full((9, 50), i, np.int16)})
except MemupError as error:
    print(error)
count = store.next_id
assert count == 22 and len(store) == count, count
for i in range(count):
    assert (store.episode(i)["a"] == i).all() and (store.episode(i)[field] == i).all()
store.add({"a": np.full(1, 22, np.int8), field: np.full((1, 50), 22, np.int16)})
assert store.at(22, 0)[field].tolist() == [22] * 50
"""


def test_a_full_disk_is_reported_and_costs_nothing(tmp_path):
    command = [sys.executable, "-c", FULL, str(tmp_path / "s"), "wide"]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("cannot write ")
    assert "wide.npy: no space" in run.stdout
    store = EpisodeStore.open(tmp_path / "s")
    assert (len(store), store.steps) == (23, 22 * 9 + 1)
    assert len(np.load(tmp_path / "s" / "wide.npy")) == store.steps
