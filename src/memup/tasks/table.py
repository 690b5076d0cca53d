"""The names of supervised tasks. Importing this, listing and checking ids never loads jax."""

from pathlib import Path
from typing import Any

from memup.core.errors import require
from memup.core.families import Family, parse
from memup.core.options import Option
from memup.core.registry import Entry

_MEMUP = "MemUP, arXiv 2207.13649"
_LONGEST = 10**9
_BLANKS = Option(1000, "M, blanks between what is shown and what is asked", low=1, high=_LONGEST)
_PAIRS = Option(4, "P, names with a value", low=1, high=63)
_IMAGES = "permuted-pixels:"


def _length(default: int, low: int) -> Option:
    return Option(default, "T, steps", low=low, high=_LONGEST)


_FAMILIES = (
    Family(
        Entry(
            "memup.tasks.copy:Copy",
            "say ten symbols again after M blanks; copy-1000 is the paper's Copy-1020",
            {"blanks": _BLANKS},
            _MEMUP,
        ),
        "copy-1000",
        "copy-<blanks>",
        "copy-",
    ),
    Family(
        Entry(
            "memup.tasks.copy:ScatteredCopy",
            "say ten symbols again that stood at random places among M blanks",
            {"blanks": _BLANKS},
            _MEMUP,
        ),
        "scattered-copy-1000",
        "scattered-copy-<blanks>",
        "scattered-copy-",
    ),
    Family(
        Entry(
            "memup.tasks.adding:Adding",
            "add the two marked numbers of T",
            {"length": _length(1000, 2)},
            "Hochreiter and Schmidhuber 1997",
        ),
        "adding-1000",
        "adding-<length>",
        "adding-",
    ),
    Family(
        Entry(
            "memup.tasks.pixels:PermutedPixels",
            "classify digits, pixel by pixel in a shuffled order",
            paper="Le et al. 2015, arXiv 1504.00941",
        ),
        "permuted-pixels",
        "permuted-pixels",
        "permuted-pixels",
    ),
    Family(
        Entry("memup.tasks.recall:AssociativeRecall", "associative-recall-4-100 by a short name"),
        "associative-recall",
        "associative-recall",
        "associative-recall",
        (("pairs", 4), ("blanks", 100)),
    ),
    Family(
        Entry(
            "memup.tasks.recall:AssociativeRecall",
            "P names with values, M blanks, then say each name's value",
            {"pairs": _PAIRS, "blanks": _BLANKS},
            "after Graves et al. 2014, arXiv 1410.5401",
        ),
        "associative-recall-4-1000",
        "associative-recall-<pairs>-<blanks>",
        "associative-recall-",
    ),
    Family(
        Entry(
            "memup.tasks.recall:SelectiveRecall",
            "four cues at random places among noise, four questions, each about one of them",
            {"length": _length(1000, 16)},
        ),
        "selective-recall-1000",
        "selective-recall-<length>",
        "selective-recall-",
    ),
)

TASKS: dict[str, Entry] = {family.pattern: family.entry for family in _FAMILIES} | {
    f"{_IMAGES}<folder>": Entry(
        "memup.tasks.pixels:PermutedPixels", "the same with MNIST: the folder of its four IDX files"
    )
}
EXAMPLES: dict[str, str] = {family.pattern: family.example for family in _FAMILIES} | {
    f"{_IMAGES}<folder>": f"{_IMAGES}mnist"
}


def make_task(task_id: str) -> Any:
    """Make a task from its id.

    Args:
        task_id: one that `memup list tasks` describes, such as "copy-1000".

    Returns:
        An `AbstractTask`.

    Raises:
        MemupError: no such task, or a setting out of bounds.
    """
    factory, settings = _parse(task_id)
    return factory.load()(**settings)


def check_task_id(task_id: str) -> None:
    """Raise the MemupError that `make_task` would raise."""
    _parse(task_id)


def _parse(task_id: str) -> tuple[Entry, dict[str, Any]]:
    if task_id.startswith(_IMAGES):
        folder = task_id.removeprefix(_IMAGES)
        require(
            bool(folder) and Path(folder).is_dir(),
            f"task {task_id!r}: there is no folder {folder!r}; expected one with MNIST's IDX files",
        )
        return TASKS[f"{_IMAGES}<folder>"], {"folder": folder}
    return parse("task", _FAMILIES, task_id, list(EXAMPLES.values()))
