"""Runs that are known to work: each says its command, its time and what it reaches."""

from collections.abc import Callable, Mapping
from typing import Any

from memup.core.errors import unknown_name
from memup.memories.table import MEMORIES
from memup.specs.presets.agents import AGENT_PRESETS
from memup.specs.presets.long import LONG_PRESETS
from memup.specs.presets.tasks import TASK_PRESETS
from memup.specs.spec import RunSpec, carried, make_spec

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


MAZES: dict[str, Callable[[], Mapping[str, Any]]] = {
    "tmaze-100": tmaze_100,
    "tmaze-1000": tmaze_1000,
}
# What a control may spend: it is known to learn nothing, so that nothing else would stop it.
_CONTROL = {"method.updates": 2000, "agent.steps": 1_000_000}
# Settings of single memories, where the maze's own are not the best ones.
_TUNED: dict[tuple[str, str], Mapping[str, Any]] = {
    (maze, name): _CONTROL for maze in MAZES for name in ("window-transformer", "gtrxl")
}
# Too weak for the long maze.
_LEFT_OUT = {("tmaze-1000", "rnn")}
ZOO = {
    maze: [name for name in MEMORIES if name != "none" and (maze, name) not in _LEFT_OUT]
    for maze in MAZES
}


def _with_memory(maze: str, memory: str) -> Callable[[], Mapping[str, Any]]:
    """Return the preset of a maze with another memory and the settings tuned for it."""

    def make() -> Mapping[str, Any]:
        return {**MAZES[maze](), "memory": memory, **_TUNED.get((maze, memory), {})}

    make.__doc__ = f"""The preset {maze} with the memory {memory}.

    $ memup train {maze}-{memory}

    Time and success: docs/results.md, "The memories under MemUP".
    """
    return make


PRESETS: dict[str, Callable[[], Mapping[str, Any]]] = {
    **MAZES,
    "tmaze-20000": tmaze_20000,
    **LONG_PRESETS,
    "tmaze-1000-joint": tmaze_1000_joint,
    **AGENT_PRESETS,
    **{f"{maze}-{name}": _with_memory(maze, name) for maze, names in ZOO.items() for name in names},
    **TASK_PRESETS,
}


def preset(name: str, **overrides: Any) -> RunSpec:
    """Return the spec of a preset.

    Args:
        name: one of `memup list presets`.
        **overrides: fields that differ, with underscores doubled for dots
            (`method__window=10`) or by `**{"method.window": 10}`.

    Raises:
        MemupError: no such preset or field, or a bad value.
    """
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    given = {field.replace("__", "."): value for field, value in overrides.items()}
    base = PRESETS[name]()
    return make_spec({**carried(base, given), **given})


def spec(**fields: Any) -> RunSpec:
    """Return a spec without a preset: every field that is not given has its default.

    Args:
        **fields: as the overrides of `preset`.

    Raises:
        MemupError: an unknown field or a bad value.
    """
    return make_spec({field.replace("__", "."): value for field, value in fields.items()})
