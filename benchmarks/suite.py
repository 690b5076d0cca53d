"""What a suite is made of: rows, and a cell for each row and seed."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any, NamedTuple


class Bound(NamedTuple):
    """What must hold of a figure.

    Attributes:
        figure: its name in the cell; dots lead into nested ones, as in `runs.0.success_rate`.
        least: the least that it may be.
        most: the most that it may be.
    """

    figure: str
    least: float = -float("inf")
    most: float = float("inf")

    def missed(self, cell: Mapping[str, Any]) -> str:
        """Say how a cell misses it; empty where it holds."""
        value: Any = cell
        for name in self.figure.split("."):
            value = value[int(name)] if isinstance(value, list) else value.get(name)
            if value is None:
                return f"{self.figure} was not measured"
        if self.least <= value <= self.most:
            return ""
        wanted = f"at least {self.least:g}" if value < self.least else f"at most {self.most:g}"
        return f"{self.figure} is {value:g}, must be {wanted}"


SOLVED = (Bound("success_rate", least=0.99),)


@dataclass(frozen=True)
class Row:
    """One row of a suite.

    Attributes:
        labels: what it is called in the results.
        spec: what its measure needs: the words after `memup train`, a preset, sizes; as JSON.
        file: results are kept in benchmarks/results/FILE.json.
        seeds: a cell for each; None where the measure has no seed.
        must: what must hold of every cell.
        limit_s: a cell that takes longer is ended and recorded as timed out.
    """

    labels: Mapping[str, Any]
    spec: Any
    file: str
    seeds: tuple[int | None, ...] = (None,)
    must: tuple[Bound, ...] = ()
    limit_s: float = 3600.0


@dataclass(frozen=True)
class Cell:
    """A row and a seed, as a measure is given it.

    Attributes:
        row: what is measured.
        seed: of its random choices.
        quick: as little as shows that it runs; nothing is recorded.
        rival: a Python interpreter that has the packages of the program beside ours; may be empty.
    """

    row: Row
    seed: int | None
    quick: bool = False
    rival: str = ""

    @property
    def labels(self) -> dict[str, Any]:
        """What tells it from others in its file."""
        seeded = {} if self.seed is None else {"seed": self.seed}
        return {**self.row.labels, **seeded}

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        said = [self.row.file]
        for key, value in self.labels.items():
            said.append(f"seed {value}" if key == "seed" else _plain(value))
        return " ".join(filter(None, said))

    def missed(self, found: Mapping[str, Any]) -> list[str]:
        """Say what does not hold of its result."""
        if "error" in found:
            return [str(found["error"]).strip().splitlines()[-1]]
        return list(filter(None, (bound.missed(found) for bound in self.row.must)))


def _plain(value: Any) -> str:
    return " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else f"{value}"


@dataclass(frozen=True)
class Suite:
    """Rows that are measured in the same way.

    Attributes:
        name: on the command line.
        summary: one line.
        measure: `module:function` below benchmarks.measures; imported in the cell's process only.
        rows: what is measured.
    """

    name: str
    summary: str
    measure: str
    rows: tuple[Row, ...] = field(repr=False)

    def load(self) -> Callable[[Cell], dict[str, Any]]:
        """Import what measures a cell."""
        module, _, function = self.measure.partition(":")
        return getattr(importlib.import_module(f"benchmarks.measures.{module}"), function)

    def cells(self, pattern: str = "*", quick: bool = False, rival: str = "") -> list[Cell]:
        """Return the cells whose names hold a pattern of the shell; the first one if quick."""
        made = [Cell(row, seed, quick, rival) for row in self.rows for seed in row.seeds]
        asked = [cell for cell in made if fnmatch(cell.name, f"*{pattern}*")]
        return asked[:1] if quick else asked
