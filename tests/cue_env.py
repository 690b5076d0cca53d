"""An environment that only Gymnasium knows: a cue among noise, asked for at the end."""

import gymnasium as gym
import numpy as np

CUES = 4


class Cue(gym.Env):
    """One of four cues at a random early step, gaussian noise at every step, one question.

    The action at the last step pays 1 if it names the cue; a random policy earns 0.25.
    """

    observation_space = gym.spaces.Dict(
        cue=gym.spaces.Discrete(CUES + 1),
        noise=gym.spaces.Box(-np.inf, np.inf, (4,), np.float32),
        asked=gym.spaces.Discrete(2),
    )
    action_space = gym.spaces.Discrete(CUES)

    def __init__(self, length: int = 200, early: int = 20):
        self.length, self.early = length, early

    def _see(self) -> dict:
        return {
            "cue": 1 + self.cue if self.t == self.at else 0,
            "noise": self.np_random.standard_normal(4, np.float32),
            "asked": int(self.t == self.length - 1),
        }

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        self.cue = int(self.np_random.integers(CUES))
        self.at = int(self.np_random.integers(self.early))
        return self._see(), {}

    def step(self, action):
        over = self.t == self.length - 1
        right = bool(over and action == self.cue)
        self.t += 1
        return self._see(), float(right), over, False, {"success": right}


gym.register("Cue-v0", Cue)
