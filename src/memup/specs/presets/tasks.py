"""Supervised tasks: each preset says its command, and what it reaches where that was measured."""

from collections.abc import Callable, Mapping
from typing import Any

_TASK = {"training": "supervised", "method.target": "label", "collect.episodes": 10_000}
# A running maximum holds without end what the LSTM before it writes. Its exact gradient reaches
# only the step that wrote, so that blanks are not taught to speak louder.
_HOLDS = {"memory": "amrl-max", "memory.timescale": 0, "memory.straight_through": False}
_FALLS = {"method.learning_rate": 3e-3, "method.final_lr_fraction": 0.05, "method.patience": 20}
# Ten questions that look alike are told apart by how many of them came just before.
_ASKS = {"method.query_length": 10, "method.targets": 10}
# A memory that is written at few steps only, all of which its windows hold. No window begins with
# a life, so that every place of a life is asked about.
_EVENTS = {
    "method.events": 3,
    "memory.timescale": 0,
    "method.order": "jump",
    "method.order.segment_length": 1,
    "method.window": 60,
    "method.order.long_rows": 0,
}
_COPY = {
    **_TASK,
    **_HOLDS,
    **_FALLS,
    **_ASKS,
    "collect.episodes": 40_000,
    "memory.size": 192,
    "method.query_stride": 20,
    "method.order": "jump",
    "method.order.segments": 2,
    "method.order.long_rows": 0.1,
    # All updates: the last tenths of a percent are learned while the rate falls.
    "method.patience": 0,
    "method.updates": 9000,
}


# Sizes for ten symbols that are read as events: symbols, questions, the first step and two others.
_TEN = {
    **_TASK,
    **_FALLS,
    **_ASKS,
    **_EVENTS,
    "memory.size": 128,
    "method.order.rare": 20,
    "method.order.segments": 23,
    "method.batch_size": 48,
    "method.query_stride": 7,
    "method.patience": 0,
    "method.updates": 6000,
}


def _copy(blanks: int, how: str, fields: Mapping[str, Any]) -> Callable[[], Mapping[str, Any]]:
    def make() -> Mapping[str, Any]:
        return {**fields, "task": f"copy-{blanks}"}

    make.__doc__ = f"""Copy of ten symbols after {blanks:,} blanks.

    $ memup train copy-{blanks}

    {how}
    What it reaches: docs/results.md, "Supervised tasks".
    """
    return make


_MAXIMUM = "A running maximum, which reads every step, holds the symbols."
_STILL = """The memory reads symbols and questions only, and stands still at blanks: what it holds
    after so many of them it holds after a million."""


def scattered_copy_1000() -> Mapping[str, Any]:
    """Copy of ten symbols that stand at random places among 1,000 blanks.

    $ memup train scattered-copy-1000

    The memory reads symbols and questions only, and stands still at blanks: what it has counted
    it holds. Its windows are put together from single steps, so that the gradient passes from
    symbol to symbol, and hold nearly three whole sequences.
    What it reaches: docs/results.md, "Supervised tasks".
    """
    return {
        **_TEN,
        "task": "scattered-copy-1000",
        "collect.episodes": 40_000,
        "method.updates": 12_000,
    }


def adding_1000() -> Mapping[str, Any]:
    """The sum of the two marked numbers of 1,000.

    $ memup train adding-1000

    Chance has a squared error of 0.167. The cells of an LSTM add; a running maximum does not.
    What it reaches: docs/results.md, "Supervised tasks".
    """
    return {
        **_TASK,
        **_FALLS,
        "task": "adding-1000",
        "memory.size": 128,
        "memory.timescale": 1000,
        "method.order": "jump",
        "method.order.segments": 6,
        # Short windows: around a marked number there is little that is not.
        "method.window": 5,
        "method.query_stride": 5,
        "method.batch_size": 256,
        "method.final_lr_fraction": 0.02,
        # The best of held-out models after all updates: the loss of real numbers jumps about.
        "method.patience": 400,
        "method.updates": 8000,
    }


def selective_recall_10000() -> Mapping[str, Any]:
    """Four cues at random places among 10,000 steps of noise, each asked for later.

    $ memup train selective-recall-10000

    The memory reads cues and questions only, each of which is rarer than noise. Its windows are put
    together from them, so that every row meets all cues.
    What it reaches: docs/results.md, "Supervised tasks".
    """
    return {
        **_TASK,
        **_FALLS,
        **_EVENTS,
        "task": "selective-recall-10000",
        "memory.size": 128,
        # Four cues, four questions, the first step and three others.
        "method.order.rare": 8,
        "method.order.segments": 12,
        "method.targets": 4,
        "method.query_stride": 7,
        "method.updates": 4000,
    }


def permuted_pixels() -> Mapping[str, Any]:
    """Digits, pixel by pixel in a shuffled order: 784 steps, r = 56.

    $ memup train permuted-pixels

    Needs scikit-learn. The memory is told the time: what a pixel means depends on its place, and
    what is read of it must not depend on how long ago it was. There are 1,497 images, which it
    would learn by heart from the first window: some of what it reads is dropped, and forgotten.
    What it reaches: docs/results.md, "Supervised tasks".
    """
    return {
        **_TASK,
        **_FALLS,
        "task": "permuted-pixels",
        "memory": "gru",
        "memory.size": 128,
        "memory.timescale": 784,
        "method.clock": 64,
        "method.order": "staggered",
        "method.window": 56,
        "method.query_stride": 8,
        "encoder.dropout": 0.5,
        "method.state_reset_prob": 0.1,
        # All updates: the held-out loss, over all places of 91 images, jumps about.
        "method.patience": 0,
        "method.updates": 12_000,
        "method.final_lr_fraction": 0.02,
    }


TASK_PRESETS: dict[str, Callable[[], Mapping[str, Any]]] = {
    "copy-100": _copy(100, _MAXIMUM, _COPY),
    "copy-1000": _copy(1000, _MAXIMUM, _COPY),
    # r as in the paper's Copy-5020.
    "copy-5000": _copy(5000, _STILL, {**_TEN, "method.window": 100, "method.batch_size": 32}),
    "copy-10000": _copy(10_000, _STILL, _TEN),
    "scattered-copy-1000": scattered_copy_1000,
    "adding-1000": adding_1000,
    "selective-recall-10000": selective_recall_10000,
    "permuted-pixels": permuted_pixels,
}
