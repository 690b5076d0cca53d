"""Our environments in Gymnasium's registry. Neither importing nor calling this loads jax."""

import importlib.util
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MAKE = "memup.envs.adapters.to_gymnasium:make_registered"
FAMILIES = {
    "memup/NoisyTMaze-v0": {"family": "memup.envs.tmaze:TMaze", "length": 100},
    "memup/TMazeDistractors-v0": {
        "family": "memup.envs.distractors:TMazeDistractors",
        "distractors": 5,
        "length": 100,
    },
    "memup/MemoryLen-v0": {"family": "memup.envs.memory_len:MemoryLen", "length": 50},
    "memup/EndlessTMaze-v0": {
        "family": "memup.envs.endless:EndlessTMaze",
        "junctions": 5,
        "corridor": 50,
    },
    "memup/MemoryGame-v0": {"family": "memup.envs.memory_game:MemoryGame", "cards": 8},
    "memup/ActiveTMaze-v0": {"family": "memup.envs.active:ActiveTMaze", "length": 20},
}


def register_environments() -> None:
    """Register the built-in environments with Gymnasium; a second call changes nothing."""
    from gymnasium.envs.registration import register, registry

    for env_id, settings in FAMILIES.items():
        if env_id not in registry:
            register(id=env_id, entry_point=_MAKE, kwargs=settings)


def register_with_gymnasium() -> None:
    """Register at once if Gymnasium is loaded, else as soon as it is.

    Loading it only to register would make every start of memup twice as long.
    """
    if "gymnasium" in sys.modules:
        register_environments()
    else:
        sys.meta_path.insert(0, _WhenLoaded())


class _WhenLoaded(MetaPathFinder):
    """Waits for the import of Gymnasium, then registers behind it."""

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for Gymnasium alone, once; everything else goes its usual way."""
        if fullname != "gymnasium":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_register(module: ModuleType) -> None:
                load(module)
                register_environments()

            spec.loader.exec_module = load_and_register  # type: ignore[method-assign]
        return spec
