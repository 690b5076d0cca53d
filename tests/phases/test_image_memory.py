"""Frames of 84 x 84 x 4, the batches of the defaults: what a run takes must be bounded."""

import os
import subprocess
import sys

MOST_MIB = 3072
PROGRAM = """
import resource
import numpy as np
import memup

def episodes():
    rng = np.random.default_rng(0)
    for _ in range(32):
        label = np.full(60, -1)
        label[-1] = rng.integers(2)
        yield {"obs": rng.integers(0, 256, (60, 84, 84, 4), np.uint8), "label": label}

fields = {"training": "supervised", "method.target": "label", "detect.updates": 50}
fields |= {"method.updates": 4, "evaluate.episodes": 2}
store = memup.EpisodeStore.from_episodes(episodes())
memup.train(memup.spec(**fields), store=store)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_frames_of_atari_train_within_bounded_memory():
    # A process of its own: the peak of this one is that of every test before.
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=os.environ, check=True
    )
    assert int(done.stdout.split()[-1]) < MOST_MIB, done.stdout
