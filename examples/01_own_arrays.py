"""Train a memory on your own arrays.

Every sequence shows a cue (-1 or +1) at its first step, then noise; at the last step a flag asks
which cue it was. A window of 10 steps never holds both the cue and the question.

Prints the share of held-out sequences that are answered rightly; chance is 0.5, expect 1.0.

    python examples/01_own_arrays.py [--quick]
"""

import argparse

import numpy as np

import memup


def sequence(rng: np.random.Generator, length: int) -> dict[str, np.ndarray]:
    """Return one sequence: what is seen at every step, and the label where there is one."""
    cue = rng.integers(2)
    obs = np.zeros((length, 3), np.float32)
    obs[0, 0] = 2 * cue - 1  # the cue
    obs[-1, 1] = 1  # the question
    obs[:, 2] = rng.choice([-1, 1], length)  # noise
    label = np.full(length, -1)  # a negative label says: nothing to predict here
    label[-1] = cue
    return {"obs": obs, "label": label}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter sequences")
    quick = parser.parse_args().quick
    rng = np.random.default_rng(0)
    length = 50 if quick else 500
    store = memup.EpisodeStore.from_episodes([sequence(rng, length) for _ in range(512)])
    spec = memup.spec(
        training="supervised",
        method__target="label",
        method__window=10,
        memory="gru",
        memory__size=32,
        method__batch_size=32,
        detect__updates=200,
    )
    run = memup.train(spec, store=store)
    print(f"accuracy after {length} steps: {run.results[0]['accuracy']:.3f}")


if __name__ == "__main__":
    main()
