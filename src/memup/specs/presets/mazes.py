"""Presets of the Noisy T-Maze, by MemUP and PPO."""

from collections.abc import Callable, Mapping
from typing import Any

# A corridor's steps decide nothing but the last: small networks and few passes are enough. Rollouts
# are the default, about an episode: all copies march in step, so that of eight stretches of 128
# steps seven hold no reward, and what is learned there is noise.
_CORRIDOR = {"agent.hidden": 32, "agent.epochs": 2}


def tmaze_100() -> Mapping[str, Any]:
    """Noisy T-Maze, 100 steps: five windows long, the smallest task that truncated BPTT fails.

    $ memup train tmaze-100

    Half a minute on two cores, success 1.00 (10 of 10 seeds; docs/results.md).
    """
    return {"env": "tmaze-100", "collect.episodes": 1000, **_CORRIDOR}


def tmaze_1000() -> Mapping[str, Any]:
    """Noisy T-Maze, 1,000 steps: the talk's longest task.

    $ memup train tmaze-1000

    A minute or less on two cores, success 1.00 (18 of 18 seeds; docs/results.md).
    """
    return {"env": "tmaze-1000", "collect.episodes": 2000, **_CORRIDOR}


def tmaze_20000() -> Mapping[str, Any]:
    """Noisy T-Maze, 20,000 steps with r = 20: the longest that the authors report.

    $ memup train tmaze-20000

    Five to eight minutes on two cores, success 1.00.
    """
    return {
        "env": "tmaze-20000",
        "collect.episodes": 512,
        "collect.environments": 64,
        "agent.steps": 200_000_000,
        "evaluate.episodes": 256,
        **_CORRIDOR,
        # Rollouts hold whole episodes, so that each holds a reward in every copy.
        "agent.rollout": 20_480,
        "agent.environments": 32,
        "agent.minibatches": 8,
        "agent.epochs": 4,
        "agent.ent_coef": 0.0,
    }


def tmaze_1000_joint() -> Mapping[str, Any]:
    """Noisy T-Maze, 1,000 steps: memory and policy trained side by side.

    $ memup train tmaze-1000-joint

    About a minute on two cores and three million environment steps, success 1.00 (3 of 3 seeds).
    """
    return {
        "env": "tmaze-1000",
        "training": "joint",
        "collect.episodes": 128,
        "method.order": "jump",
        **_CORRIDOR,
    }


MAZE_PRESETS: dict[str, Callable[[], Mapping[str, Any]]] = {
    "tmaze-100": tmaze_100,
    "tmaze-1000": tmaze_1000,
    "tmaze-20000": tmaze_20000,
    "tmaze-1000-joint": tmaze_1000_joint,
}
