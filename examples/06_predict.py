"""Train on arrays and save; predict new sequences in another process, which has no run and no data.

Every sequence shows a cue (0 or 1) at its first step and asks for it at its last one.

Prints the share of new sequences, of other lengths, that are answered rightly; expect 1.0.

    python examples/06_predict.py [--quick]
"""

import argparse
import subprocess
import sys
import tempfile

TRAIN = """
import numpy as np, memup
rng, data = np.random.default_rng(0), []
for cue in rng.integers(2, size=512):
    obs, label = np.zeros((LENGTH, 3), np.float32), np.full(LENGTH, -1)
    obs[:, 2] = rng.choice([-1, 1], LENGTH)  # noise at every step
    obs[0, 0], obs[-1, 1], label[-1] = 2 * cue - 1, 1, cue  # the cue, the question, its answer
    data.append({"obs": obs, "label": label})
options = {"memory": "gru", "memory.size": 32, "method.batch_size": 32, "method.window": 10}
spec = memup.spec(training="supervised", method__target="label", **options)
memup.train(spec, store=memup.EpisodeStore.from_episodes(data)).save("cue.safetensors")
"""
PREDICT = """
import numpy as np, memup
model, rng, right = memup.load("cue.safetensors"), np.random.default_rng(1), []
cues, data = rng.integers(2, size=100), []
for cue in cues:
    obs = np.zeros((rng.integers(20, LENGTH), 3), np.float32)
    obs[:, 2] = rng.choice([-1, 1], len(obs))
    obs[0, 0], obs[-1, 1] = 2 * cue - 1, 1
    data.append({"obs": obs})
answers = model.predict(data, steps="last")  # [{"value": [1], "probability": [1, 2], ...}, ...]
print(f"accuracy: {np.mean([a['value'][0] for a in answers] == cues):.3f}")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter sequences")
    length = "50" if parser.parse_args().quick else "200"
    with tempfile.TemporaryDirectory() as folder:
        for program in (TRAIN, PREDICT):
            command = [sys.executable, "-c", program.replace("LENGTH", length)]
            done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
            print(done.stdout, end="")


if __name__ == "__main__":
    main()
