"""In what order rows see episodes. An order is its class and one line here.

This file needs no jax.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memup.core.errors import require
from memup.core.options import Config, option
from memup.core.registry import Entry

_HERE = "memup.method.orders."


@dataclass(frozen=True)
class JumpConfig(Config):
    """Options of the order `jump`."""

    segments: int = option(4, "segments of an episode that a short row visits", low=2)
    segment_length: int = option(
        0, "steps in each segment, of which windows are put together; 0: a whole window", low=0
    )
    rare: int = option(4, "steps of each episode that count as rare", low=1, high=1000)
    long_rows: float = option(
        0.25, "fraction of the batch that consists of long rows", low=0.0, high=1.0
    )
    long_segments: int = option(
        250, "windows of an episode that a long row visits, if it has as many", low=2
    )
    burn_in: int = option(
        400, "steps before each window that a long row reads, within 1 GiB, without learning", low=0
    )
    long_after: float = option(
        0.0, "fraction of the updates made before the first long row", low=0.0, high=1.0
    )

    def check(self, run: Mapping[str, Any]) -> None:
        """See Config: segments and long rows must make whole windows."""
        length, window = self.segment_length or run["method.window"], run["method.window"]
        require(
            window % length == 0,
            f"method.order.segment_length={length}: expected a divisor of method.window={window}",
        )
        # A long row begins with a window.
        require(
            self.long_rows == 0 or self.segments * length % window == 0,
            f"method.order.segments={self.segments}: expected a multiple of the {window // length} "
            "segments that a window is put together from, as method.order.long_rows is not 0",
        )


ORDERS: dict[str, Entry] = {
    "auto": Entry(
        f"{_HERE}auto:Auto", "jump over long episodes, staggered through short ones", JumpConfig
    ),
    "sequential": Entry(f"{_HERE}sequential:Sequential", "each row walks its episode in order"),
    "staggered": Entry(f"{_HERE}staggered:Staggered", "rows start at different steps"),
    "jump": Entry(
        f"{_HERE}jump:Jump",
        "each row visits few windows: the first, rare ones, random ones",
        JumpConfig,
    ),
}
