"""Train on your own Gymnasium environment.

The environment is registered here; from the command line it would be, with this file in the
working directory as `bell.py`: `memup train --env gym:bell:Bell-v0`.

Prints the success rate; a policy without memory has 0.5, expect above 0.95.

    python examples/03_own_environment.py [--quick]
"""

import argparse

import gymnasium as gym
import numpy as np

import memup


class Bell(gym.Env):
    """A light is red or green; a bell rings `wait` steps later: then press its button."""

    observation_space = gym.spaces.Dict(
        light=gym.spaces.Discrete(3), bell=gym.spaces.MultiBinary(1)
    )
    action_space = gym.spaces.Discrete(2)

    def __init__(self, wait: int = 60):
        self.wait = wait

    def _see(self) -> dict:
        light = self.colour if self.t == 0 else 2
        return {"light": light, "bell": np.array([self.t == self.wait], np.int8)}

    def reset(self, *, seed=None, options=None):
        """Draw a colour; show it once."""
        super().reset(seed=seed)
        self.t, self.colour = 0, int(self.np_random.integers(2))
        return self._see(), {}

    def step(self, action):
        """Only the press while the bell rings counts."""
        rings, right = self.t == self.wait, action == self.colour
        self.t += 1
        reward = (1.0 if right else -1.0) if rings else 0.0
        return self._see(), reward, rings, False, {"success": bool(rings and right)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="wait 10 steps instead of 60")
    quick = parser.parse_args().quick
    gym.register("Bell-v0", Bell, kwargs={"wait": 10 if quick else 60})
    fields = {"method.window": 5 if quick else 20, "evaluate.episodes": 96 if quick else 512}
    small = {"memory": "gru", "memory.size": 32, "collect.episodes": 500, "detect.updates": 200}
    run = memup.train(memup.spec(env="gym:Bell-v0", agent__hidden=32, **small, **fields))
    print(f"success on Bell-v0: {run.results[0]['success_rate']:.3f}")


if __name__ == "__main__":
    main()
