"""Programs that remember how long it took to compile them."""

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np


class Compiled:
    """A function compiled at its first call, which remembers how long that took.

    Args:
        function: of arrays.
        donate: positions of arguments whose memory may be used again.
    """

    def __init__(self, function: Callable[..., Any], donate: tuple[int, ...] = ()):
        self._jit = jax.jit(function, donate_argnums=donate)
        self._programs: dict[Any, Any] = {}
        self.seconds = 0.0

    def __call__(self, *args: Any) -> Any:
        """Run; compile first if the shapes are new."""
        shape = jax.tree.structure(args), tuple(_signature(leaf) for leaf in jax.tree.leaves(args))
        if shape not in self._programs:
            begin = time.perf_counter()
            self._programs[shape] = self._jit.lower(*args).compile()
            self.seconds += time.perf_counter() - begin
        return self._programs[shape](*args)


def _signature(leaf: Any) -> tuple[Any, ...]:
    return np.shape(leaf), str(getattr(leaf, "dtype", type(leaf)))
