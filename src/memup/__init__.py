"""MemUP: long-term memory for agents and sequence models by predicting uncertain outcomes.

Names are imported when they are used, so that `memup --help` answers at once.
"""

import importlib
from typing import Any

from memup.envs.registration import register_with_gymnasium

__version__ = "0.1.0"

_PLACES = {
    "EpisodeStore": "memup.data.store",
    "MemupError": "memup.core.errors",
    "Model": "memup.models.model",
    "RunSpec": "memup.specs.spec",
    "adapt": "memup.envs.adapters.adapted",
    "evaluate": "memup.api",
    "load": "memup.api",
    "preset": "memup.specs.presets",
    "spec": "memup.specs.presets",
    "train": "memup.api",
}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'memup' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)


register_with_gymnasium()
