"""Very long mazes, and mazes full of noise: acting by what the predictor expects."""

from collections.abc import Callable, Mapping
from typing import Any

# Few copies are played at once: all their episodes wait on disk until the last has ended.
_LONG = {
    "agent": "greedy",
    "collect.episodes": 512,
    "collect.environments": 64,
    "method.order": "jump",
    "evaluate.episodes": 256,
}
_LONGER = {"collect.episodes": 128, "evaluate.episodes": 64}
# A hint that comes late is written into a state that has read far more noise than any row of
# training. An LSTM has drifted by then; a running maximum soon stands still, and holds without end.
_HOLDS = {
    "memory": "amrl-max",
    "memory.timescale": 0,
    "memory.straight_through": False,
    "method.final_lr_fraction": 0.05,
    # Nothing is known before the hint, so the loss has a floor that says nothing of when to stop.
    "method.patience": 0,
}
_ANYWHERE = {
    **_HOLDS,
    "method.learning_rate": 3e-3,
    "method.order.segments": 8,
    "method.updates": 3000,
}
# Each junction asks for a hint of its own, so a row must meet all of them. The memory reads hints
# and junctions only, and windows are put together from them: a life is the first step, eight rare
# ones and three others. A running maximum that reads all is right on one seed of three.
_HINTS = {
    "memory.size": 128,
    "memory.timescale": 0,
    "method.events": 3,
    "method.order.segment_length": 1,
    "method.window": 60,
    "method.query_stride": 7,
    "method.targets": 4,
    "method.order.rare": 8,
    "method.order.segments": 12,
    "method.order.long_rows": 0,
    "method.learning_rate": 3e-3,
    "method.final_lr_fraction": 0.05,
    # More updates learn these episodes by heart; the model kept is the best of held-out ones.
    "collect.episodes": 2048,
    "method.patience": 20,
    "method.updates": 1000,
}
# A hint is worth nothing after its own junction. An LSTM that was taught by jumps alone forgets
# within a corridor on one seed of three: in the end a tenth of the rows reads all that there is.
_ENDLESS = {
    "method.order.rare": 20,
    "method.order.segments": 8,
    "method.order.long_rows": 0.1,
    "method.order.long_after": 0.4,
    "method.order.long_segments": 40,
    "method.order.burn_in": 2500,
    "method.updates": 5000,
}
_NOISE = {
    "agent": "greedy",
    "collect.episodes": 2000,
    "evaluate.episodes": 256,
}


def _preset(env: str, about: str, *fields: Mapping[str, Any]) -> Callable[[], Mapping[str, Any]]:
    def make() -> Mapping[str, Any]:
        made: dict[str, Any] = {"env": env}
        for part in fields:
            made |= part
        return made

    make.__doc__ = f"""{about}

    $ memup train {env}

    Time and success: docs/results.md, "A million steps".
    """
    return make


_ALL = {
    "tmaze-100000": ("Noisy T-Maze, 100,000 steps in every stored episode.", _LONG),
    "tmaze-1000000": ("Noisy T-Maze, a million steps in every one (7 GB on disk).", _LONG),
    "tmaze-10000000": ("Ten million steps in every one (18 GB on disk).", _LONG, _LONGER),
    "tmaze-anywhere-1000000": (
        "A million steps in every one, a hint at a random step of the first half (7 GB on disk).",
        _LONG,
        _ANYWHERE,
    ),
    "tmaze-hints-4-100000": (
        "Four hints at random steps, four junctions, 100,000 steps in every episode.",
        _LONG,
        _HINTS,
    ),
    "tmaze-endless-10-10000": ("Ten corridors of 10,000 steps in a row.", _LONG, _ENDLESS),
    "tmaze-distractors-5-lnr-1000": ("Five steps that pay at random.", _NOISE),
    "tmaze-distractors-20-lnr-1000": ("Twenty steps that pay at random.", _NOISE),
    "tmaze-distractors-5-lnr-1000-x10": ("Five steps that pay ten times as much.", _NOISE),
}
LONG_PRESETS = {env: _preset(env, *what) for env, what in _ALL.items()}
