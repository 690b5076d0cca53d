"""A memory from its name in the table."""

from functools import partial
from typing import Any

import equinox as eqx
import jax

from memup.core.registry import find
from memup.core.types import Key
from memup.memories.table import MEMORIES
from memup.memories.wrappers.clock import ClockedMemory
from memup.memories.wrappers.events import EventMemory


def make_memory(
    name: str, input_size: int, *, key: Key, clock: int = 0, events: bool = False, **options: Any
) -> Any:
    """Make the memory called `name`.

    Args:
        name: a name in `MEMORIES`.
        input_size: I, floats a step.
        key: for the initial weights.
        clock: numbers of a code of the time that it reads beside its input; 0: none.
        events: whether the first input says if it reads the others at all.
        **options: the entry's options, as values or text; the others have their defaults.

    Returns:
        An AbstractMemory.

    Raises:
        MemupError: no such memory or option (with the nearest name), or a bad value.
    """
    entry = find(MEMORIES, "memory", name)
    inputs = input_size + clock - events
    made = entry.load()(inputs, **entry.resolve(options, "memory"), key=key)
    made = EventMemory(made) if events else made
    return ClockedMemory(made, clock) if clock else made


def check_memory(name: str, options: dict[str, Any]) -> None:
    """Raise what making a memory would raise, in milliseconds: before anything is stored.

    Raises:
        MemupError: sizes that do not fit together, or a package that is not installed.
    """
    make = partial(make_memory, name, 1, **options)
    eqx.filter_eval_shape(lambda key: make(key=key), jax.random.key(0))
