"""Train on your own Gymnasium environment.

It is registered here. With this file as `bell.py` in the working directory, and the registration at
its top level, the command line has it too: `memup train --env gym:bell:Bell-v0`.

Prints the success rate; a policy without memory has 0.5, expect above 0.95.

    python examples/03_own_environment.py [--quick]
"""

import argparse

import gymnasium as gym

import memup


class Bell(gym.Env):
    """A light is red or green; a bell rings `wait` steps later: then press its button."""

    observation_space = gym.spaces.Dict(light=gym.spaces.Discrete(3), bell=gym.spaces.Discrete(2))
    action_space = gym.spaces.Discrete(2)

    def __init__(self, wait: int = 60):
        self.wait = wait

    def _see(self) -> dict:
        light = self.colour if self.t == 0 else 2
        return {"light": light, "bell": int(self.t == self.wait)}

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
    episodes, window, last = (192, 5, 32) if quick else (1000, 20, 512)
    fields = {"collect.episodes": episodes, "method.window": window, "evaluate.episodes": last}
    small = {"memory": "gru", "memory.size": 32, "method.batch_size": 32, "detect.updates": 200}
    run = memup.train(memup.spec(env="gym:Bell-v0", agent__hidden=32, **small, **fields))
    print(f"success on Bell-v0: {run.results[0]['success_rate']:.3f}")


if __name__ == "__main__":
    main()
