"""What all tables and pictures share: result files in, Markdown and SVG out."""

import statistics
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from benchmarks.results_file import load

__all__ = [
    "by",
    "cell",
    "figures",
    "load",
    "measured",
    "middle",
    "page",
    "percent",
    "shares",
    "table",
]


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def measured(found: dict) -> str:
    """Say on what a result was measured, and what of it is void."""
    cells = found["results"]
    older = [r for r in cells if "date" not in r]
    lines = [_whole_file(found, older)] if older and "date" in found else []
    for (machine, cores, python), rows in by(
        [r for r in cells if "date" in r], "machine", "cores", "python"
    ).items():
        name, _, jax = machine.partition(", JAX ")
        dates = sorted(r["date"] for r in rows)
        when = " to ".join(dict.fromkeys((dates[0], dates[-1])))
        commits = ", ".join(dict.fromkeys(r["commit"] for r in rows))
        each = f"{cores} core{'s' * (cores > 1)} a cell"
        lines.append(f"{name}, {each}; Python {python}, JAX {jax}; {when}, commit {commits}.\n")
    why = dict.fromkeys(r["void"] for r in cells if "void" in r)
    lines += [f"Struck out: void, to be measured again; {reason}.\n" for reason in why]
    return "\n" + "\n".join(lines)


def _whole_file(found: dict, cells: list[dict]) -> str:
    """Say it of cells that were recorded before each said it of itself."""
    machine, versions = found["machine"], found["versions"]
    device = found.get("device", "cpu")
    gpu = "" if device == "cpu" else f"{device}, "
    # Cells that were run on other machines say so; the file's own is that of the last one.
    others = {r["machine"].partition(", JAX")[0] for r in cells if "machine" in r}
    name = machine["processor"]
    others -= {name}
    name += f" (some cells: {', '.join(sorted(others))})" if others else ""
    return (
        f"{gpu}{name}, {machine['cores']} cores; Python {versions['python']}, "
        f"JAX {versions['jax']}; {found['date']}, commit {found['commit'][:7]}.\n"
    )


def percent(row: dict) -> str:
    """Return a success rate with its interval."""
    low, high = row["success_ci95"]
    return f"{100 * row['success_rate']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def shares(results: list[dict], name: str) -> str:
    """Return a figure of several runs, in percent."""
    said = figures(results, name, "{:.1f}", 100)
    return said if set(said) <= set("failed, ") else said + " %"


def figures(results: list[dict], name: str, form: str, times: float = 1) -> str:
    """Return a figure of several runs; what is void is struck out, what failed says so."""
    said = []
    for r in results:
        value = form.format(times * r[name]) if name in r else "failed"
        said.append(f"~~{value}~~" if "void" in r else value)
    return ", ".join(said)


def by(results: list[dict], *names: str) -> dict[Any, list[dict]]:
    """Group runs by the values of some names."""
    groups: dict[Any, list[dict]] = {}
    for r in results:
        groups.setdefault(itemgetter(*names)(r), []).append(r)
    return groups


def cell(seeds: list[dict]) -> tuple[str, str]:
    """Return the success of several runs, and the longest of their times."""
    times = [r["wall_s"] for r in seeds if "error" not in r]
    return (shares(seeds, "success_rate") if seeds else "", f"{max(times):.0f} s" if times else "")


def middle(results: list[dict], name: str) -> str:
    """Return the median of a figure."""
    return f"{statistics.median(r[name] for r in results if name in r):,.0f}"


def page(width: int, height: int, style: str, parts: Iterable[str]) -> str:
    """Return an SVG of this size with a white ground, its style sheet and its parts."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
    back = f'<rect width="{width}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<style>{style}</style>", back, *parts, "</svg>"]) + "\n"
