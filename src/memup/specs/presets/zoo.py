"""A preset for every memory on both short mazes."""

from collections.abc import Callable, Mapping
from typing import Any

from memup.memories.table import MEMORIES
from memup.specs.presets.mazes import MAZE_PRESETS

MAZES = ("tmaze-100", "tmaze-1000")
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
        return {**MAZE_PRESETS[maze](), "memory": memory, **_TUNED.get((maze, memory), {})}

    make.__doc__ = f"""The preset {maze} with the memory {memory}.

    $ memup train {maze}-{memory}

    Time and success: docs/results.md, "The memories under MemUP".
    """
    return make


ZOO_PRESETS: dict[str, Callable[[], Mapping[str, Any]]] = {
    f"{maze}-{name}": _with_memory(maze, name) for maze, names in ZOO.items() for name in names
}
