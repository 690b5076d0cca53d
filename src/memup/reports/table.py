"""The table of results, with 95 % intervals: one for the terminal and for the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memup.reports.text import bounds, number, percent

if TYPE_CHECKING:
    from rich.table import Table

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ResultTable:
    """Texts of a table; the first `texts` columns are words, the others numbers.

    Attributes:
        header: names of the columns.
        rows: one tuple of cells a result.
        texts: how many columns hold words.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int

    def rich(self, title: str | None = None) -> "Table":
        """Return it for `rich.print`."""
        from rich.markup import escape
        from rich.table import Table

        table = Table(title=title and escape(title), title_justify="left", title_style="bold")
        for place, name in enumerate(self.header):
            table.add_column(name, justify="left" if place < self.texts else "right")
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table


def result_table(rows: Sequence[Row]) -> ResultTable:
    """Make the table of evaluation rows (as in eval.jsonl).

    Columns that no row fills are left out, and so are the run and the environment where all rows
    share them.

    Args:
        rows: results; "run" is the label of the run a row comes from.
    """
    words = [("", _name)]
    words += [(k.capitalize(), _word(k)) for k in ("run", "env") if _several(rows, k)]
    figures = [
        (title, cell)
        for title, key, cell in _FIGURES
        if any(row.get(key) is not None for row in rows)
    ]
    columns = words + figures
    return ResultTable(
        header=tuple(title for title, _ in columns),
        rows=tuple(tuple(cell(row) for _, cell in columns) for row in rows),
        texts=len(words),
    )


def _name(row: Row) -> str:
    return str(row.get("name") or row.get("run") or "result")


def _word(key: str) -> Callable[[Row], str]:
    return lambda row: str(row.get(key) or "-")


def _several(rows: Sequence[Row], key: str) -> bool:
    return len({row.get(key) for row in rows}) > 1


def _measured(
    key: str, interval: str, write: Callable[[Any], str], edge: Callable[[Any], str]
) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        ends = bounds(row.get(interval))
        text = write(row.get(key))
        return text if ends is None else f"{text} [{edge(ends[0])}, {edge(ends[1])}]"

    return cell


def _share(key: str, interval: str) -> Callable[[Row], str]:
    return _measured(key, interval, percent, lambda share: percent(share).removesuffix(" %"))


def _figure(key: str, interval: str = "") -> Callable[[Row], str]:
    return _measured(key, interval, number, number)


_FIGURES = (
    ("Success", "success_rate", _share("success_rate", "success_ci95")),
    ("Return", "return_mean", _figure("return_mean", "return_ci95")),
    ("Accuracy", "accuracy", _share("accuracy", "accuracy_ci95")),
    ("Balanced", "balanced_accuracy", _share("balanced_accuracy", "")),
    ("Majority class", "majority_accuracy", _share("majority_accuracy", "")),
    ("Squared error", "mse", _figure("mse", "mse_ci95")),
    ("Loss", "loss", _figure("loss", "loss_ci95")),
    ("Length", "length_mean", _figure("length_mean")),
    ("Episodes", "episodes", _figure("episodes")),
    ("Steps/s", "steps_per_second", _figure("steps_per_second")),
    ("Note", "note", _word("note")),
)
