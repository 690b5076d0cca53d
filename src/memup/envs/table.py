"""The names of environments. Importing this, listing and checking ids never loads jax."""

import importlib.util
import re
from typing import Any

from memup.core.errors import MemupError
from memup.core.families import Family, parse
from memup.core.options import Option
from memup.core.registry import Entry

_MODE = Option(
    "lnr", "N noise, R random length, S steps by noise", choices=("l", "lr", "ln", "lnr")
)
_ANY_MODE = Option("lnr", _MODE.doc, choices=(*_MODE.choices, "ls"))
_LENGTH = Option(1000, "L, steps from the hint to the junction", low=1, high=10**9)
_MEMUP = "MemUP, arXiv 2207.13649"


def _tmaze(pattern: str, example: str, summary: str, **fixed: Any) -> Family:
    names = re.findall(r"<(\w+)>", pattern)
    options = {"mode": _ANY_MODE, "length": _LENGTH}
    entry = Entry("memup.envs.tmaze:TMaze", summary, {n: options[n] for n in names}, _MEMUP)
    return Family(entry, example, pattern, pattern.partition("<")[0], tuple(fixed.items()))


def _distractors(pattern: str, example: str) -> Family:
    summary = "T-Maze with steps that look like the junction and pay at random"
    options = {
        "distractors": Option(5, "steps that pay at random", low=1, high=10**6),
        "mode": _MODE,
        "length": _LENGTH,
        "scale": Option(1.0, "factor of the random payments", low=0.0),
    }
    entry = Entry(
        "memup.envs.distractors:TMazeDistractors",
        summary,
        {n: options[n] for n in re.findall(r"<(\w+)>", pattern)},
        _MEMUP,
    )
    return Family(entry, example, pattern, "tmaze-distractors-")


def _cartpole(env_id: str, summary: str, **fixed: Any) -> Family:
    entry = Entry("memup.envs.cartpole:CartPole", summary, paper="Barto, Sutton and Anderson 1983")
    return Family(entry, env_id, env_id, env_id, tuple(fixed.items()))


def _image_cue(pattern: str, example: str) -> Family:
    options = {
        "length": Option(200, "L, frames from the start to the question", low=2, high=10**9),
        "side": Option(64, "pixels of a frame's side", low=8, high=1024),
    }
    entry = Entry(
        "memup.envs.image_cue:ImageCue",
        "Images: a red or green square in one early frame says which action will be right",
        {name: options[name] for name in re.findall(r"<(\w+)>", pattern)},
    )
    return Family(entry, example, pattern, "image-cue-")


_FAMILIES = (
    _tmaze(
        "tmaze-<length>",
        "tmaze-1000",
        "Noisy T-Maze: one hint, a long corridor of random length, one choice",
        mode="LNR",
    ),
    _tmaze("tmaze-<mode>-<length>", "tmaze-ln-100", "T-Maze in another mode"),
    _tmaze(
        "tmaze-anywhere-<length>",
        "tmaze-anywhere-1000",
        "Noisy T-Maze whose hint comes at a random step of the first half",
        mode="LNR",
        cue="anywhere",
    ),
    _distractors("tmaze-distractors-<distractors>-<mode>-<length>", "tmaze-distractors-5-lnr-100"),
    _distractors(
        "tmaze-distractors-<distractors>-<mode>-<length>-x<scale>",
        "tmaze-distractors-5-lnr-100-x10",
    ),
    Family(
        Entry(
            "memup.envs.hints:TMazeHints",
            "T-Maze with several hints on the way, each for a junction of its own",
            {
                "hints": Option(4, "hints, and junctions", low=1, high=16),
                "length": _LENGTH,
            },
        ),
        "tmaze-hints-4-100",
        "tmaze-hints-<hints>-<length>",
        "tmaze-hints-",
    ),
    Family(
        Entry(
            "memup.envs.endless:EndlessTMaze",
            "T-Mazes in a row: the memory must be rewritten at every new hint",
            {
                "junctions": Option(5, "choices in an episode", low=1, high=10**6),
                "corridor": Option(50, "steps from a hint to its junction", low=1, high=10**6),
            },
        ),
        "tmaze-endless-5-50",
        "tmaze-endless-<junctions>-<corridor>",
        "tmaze-endless-",
    ),
    Family(
        Entry(
            "memup.envs.active:ActiveTMaze",
            "T-Maze where the agent must first go and read the hint",
            {"length": Option(20, "cells from the start to the junction", low=1, high=10**9)},
            "Ni et al. 2023, arXiv 2307.03864",
        ),
        "tmaze-active-20",
        "tmaze-active-<length>",
        "tmaze-active-",
    ),
    Family(
        Entry(
            "memup.envs.memory_len:MemoryLen",
            "One hint and one choice of +1 or -1; the time is shown",
            {"length": Option(50, "steps from the hint to the choice", low=1, high=10**9)},
            _MEMUP,
        ),
        "memory-len-50",
        "memory-len-<length>",
        "memory-len-",
    ),
    Family(
        Entry(
            "memup.envs.memory_game:MemoryGame",
            "Find pairs of cards that lie face down; remembering all of them returns 0 or more",
            {"cards": Option(8, "N, two of each symbol", low=2, high=1000)},
            "ufal/npfl122, memory_game_rl",
        ),
        "memory-game-8",
        "memory-game-<cards>",
        "memory-game-",
    ),
    _cartpole("cartpole", "Balance a pole on a cart for 500 steps", hidden=False),
    _cartpole("cartpole-hidden", "The same without speeds: they must be remembered", hidden=True),
    Family(
        Entry(
            "memup.envs.pendulum:Pendulum",
            "Swing a pendulum up by real-valued torques, as Gymnasium's Pendulum-v1",
        ),
        "pendulum",
        "pendulum",
        "pendulum",
    ),
    Family(
        Entry(
            "memup.envs.recall_multi:RecallMulti",
            "Three symbols at the first step, noise, then one action that repeats them all",
            {"length": Option(10, "L, steps of noise", low=1, high=10**9)},
        ),
        "recall-multi-10",
        "recall-multi-<length>",
        "recall-multi-",
    ),
    _image_cue("image-cue-<length>", "image-cue-200"),
    _image_cue("image-cue-<length>-side-<side>", "image-cue-20-side-16"),
)

_HOSTS = {
    "gym:": ("gym:<id>", "gym:CartPole-v1", "memup.envs.adapters.gymnasium:GymnasiumVector"),
    "gymnax:": (
        "gymnax:<id>",
        "gymnax:MemoryChain-bsuite",
        "memup.envs.adapters.gymnax:from_gymnax",
    ),
}
_HOST_SUMMARIES = {
    "gym:": "any Gymnasium environment; gym:module:id imports module first",
    "gymnax:": "a gymnax environment (needs gymnax)",
}

ENVS: dict[str, Entry] = {family.pattern: family.entry for family in _FAMILIES} | {
    pattern: Entry(factory, _HOST_SUMMARIES[prefix])
    for prefix, (pattern, _, factory) in _HOSTS.items()
}
EXAMPLES: dict[str, str] = {family.pattern: family.example for family in _FAMILIES} | {
    pattern: example for pattern, example, _ in _HOSTS.values()
}


def make_env(env_id: str, *, n: int = 1) -> Any:
    """Make an environment from its id.

    Args:
        env_id: one that `memup list envs` describes, such as "tmaze-1000" or "gym:CartPole-v1".
        n: copies that a host environment (gym:) runs; those on the device are batched by vmap.

    Returns:
        An `AbstractEnv`, or a `GymnasiumVector` for gym: ids.

    Raises:
        MemupError: no such environment, a setting out of bounds, or a missing package.
    """
    if prefix := _host(env_id):
        check_env_id(env_id)
        factory = ENVS[_HOSTS[prefix][0]].load()
        name = env_id.removeprefix(prefix)
        return factory(name, n) if prefix == "gym:" else factory(name)
    factory, settings = _parse(env_id)
    return factory.load()(**settings)


def check_env_id(env_id: str) -> None:
    """Raise the MemupError that `make_env` would raise, as far as that is known without jax."""
    prefix = _host(env_id)
    if prefix == "gym:":
        from memup.envs.adapters.gymnasium_ids import find_spec

        find_spec(env_id.removeprefix(prefix))
    elif prefix:
        _require_gymnax(env_id)
    else:
        _parse(env_id)


def _require_gymnax(env_id: str) -> None:
    """Raise a MemupError if gymnax, which is no dependency of memup, is missing."""
    if importlib.util.find_spec("gymnax") is None:
        raise MemupError(
            f"environment {env_id!r}: gymnax is not installed; pip install 'gymnax>=1.0'"
        )


def _host(env_id: str) -> str:
    prefix = next((p for p in _HOSTS if env_id.startswith(p)), "")
    if prefix and env_id == prefix:
        pattern, example, _ = _HOSTS[prefix]
        raise MemupError(f"environment {env_id!r}: expected {pattern}, such as {example}")
    return prefix


def _parse(env_id: str) -> tuple[Entry, dict[str, Any]]:
    """Return the entry of a built-in id, and the settings of its class."""
    return parse("environment", _FAMILIES, env_id, list(EXAMPLES.values()), _finish)


def _finish(settings: dict[str, Any]) -> dict[str, Any]:
    if "hints" in settings and settings["length"] < 2 * settings["hints"]:
        raise MemupError(
            f"length={settings['length']}: expected at least 2 hints, "
            f"which is {2 * settings['hints']}"
        )
    if "distractors" in settings and settings["distractors"] > settings["length"] - 6:
        raise MemupError(
            f"distractors={settings['distractors']}: expected at most length - 6, "
            f"which is {settings['length'] - 6}"
        )
    if "cards" in settings and settings["cards"] % 2:
        raise MemupError(f"cards={settings['cards']}: expected an even number, at least 2")
    if "mode" in settings:
        settings["mode"] = settings["mode"].upper()
    return settings
