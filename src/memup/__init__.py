"""MemUP: long-term memory for agents and sequence models by predicting uncertain outcomes.

Names are imported when they are used, so that `memup --help` answers at once.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "EpisodeStore": "memup.data.store",
    "MemupError": "memup.errors",
    "RunSpec": "memup.config",
    "evaluate": "memup.api",
    "load": "memup.api",
    "preset": "memup.presets",
    "spec": "memup.presets",
    "train": "memup.api",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'memup' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


def _register() -> None:
    """Make `gymnasium.make("memup/NoisyTMaze-v0")` work after `import memup`.

    The command line does it when it needs it: importing gymnasium would double its start-up.
    """
    if Path(sys.argv[0] if sys.argv else "").stem not in {"memup", "__main__", "-m"}:
        from memup.envs.registration import register_environments

        register_environments()


_register()
