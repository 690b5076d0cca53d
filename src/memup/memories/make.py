"""A memory from its name in the table."""

from typing import Any

from memup.memories.table import MEMORIES
from memup.tables import find
from memup.types import Key


def make_memory(name: str, input_size: int, *, key: Key, **options: Any) -> Any:
    """Make the memory called `name`.

    Args:
        name: a name in `MEMORIES`.
        input_size: I, floats a step.
        key: for the initial weights.
        **options: the entry's options, as values or text; the others have their defaults.

    Returns:
        An AbstractMemory.

    Raises:
        MemupError: no such memory or option (with the nearest name), or a bad value.
    """
    entry = find(MEMORIES, "memory", name)
    return entry.load()(input_size, **entry.resolve(options, "memory"), key=key)
