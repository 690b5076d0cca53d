"""Recurrent PPO by sb3-contrib on T-Maze-100, for measures/recurrent_ppo.py.

    python benchmarks/rivals/sb3_program.py --size 256 [--threads 2] [--rollouts 2]

Needs requirements/sb3.txt and nothing of memup. The maze is plain Python here, so that no dispatch
of JAX is counted against the other side. Prints one JSON object: environment steps a second.
"""

import argparse
import json
import random
import time

import gymnasium
import numpy as np
import torch
from sb3_contrib import RecurrentPPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv


class Maze(gymnasium.Env):
    """Noisy T-Maze: [hint, at_junction, noise], +4 or -3 at the junction."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (3,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, length: int = 100):
        self.length = length

    def reset(self, *, seed=None, options=None):
        """Draw hint and length."""
        self.left = self.length + random.randrange(11)
        self.hint = random.choice((-1, 1))
        return self._observe(self.hint), {}

    def step(self, action):
        """Move on; at the junction, pay and end."""
        over = self.left == 1
        reward = (4.0 if (action > 0) == (self.hint > 0) else -3.0) if over else 0.0
        self.left -= 1
        return self._observe(0), reward, over, False, {}

    def _observe(self, hint: int) -> np.ndarray:
        noise = random.choice((-1, 1)) if self.left else 0
        return np.array([hint, self.left == 1, noise], np.float32)


class Clock(BaseCallback):
    """When each rollout began."""

    def __init__(self):
        super().__init__()
        self.begun: list[float] = []

    def _on_rollout_start(self) -> None:
        self.begun.append(time.perf_counter())

    def _on_step(self) -> bool:
        return True


def main() -> None:
    """Train for some rollouts; the first one warms up."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--environments", type=int, default=64)
    parser.add_argument("--rollout", type=int, default=128)
    parser.add_argument("--minibatches", type=int, default=4)
    parser.add_argument("--rollouts", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    each = args.environments * args.rollout
    model = RecurrentPPO(
        "MlpLstmPolicy",
        DummyVecEnv([Maze for _ in range(args.environments)]),
        n_steps=args.rollout,
        batch_size=each // args.minibatches,
        policy_kwargs={"lstm_hidden_size": args.size},
        device="cpu",
        seed=0,
    )
    clock = Clock()
    model.learn(each * (args.rollouts + 1), callback=clock)
    # The last rollout's learning ends after the last of these, so it is timed to here.
    clock.begun.append(time.perf_counter())
    spent = (clock.begun[-1] - clock.begun[1]) / args.rollouts
    about = {"torch": torch.__version__, "epochs": model.n_epochs, "size": args.size}
    print(json.dumps({**about, "env_steps_per_s": each / spent}))


if __name__ == "__main__":
    main()
