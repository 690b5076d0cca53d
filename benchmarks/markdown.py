"""What all tables of results share: result files in, Markdown out."""

import json
import statistics
from collections.abc import Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def load(name: str) -> dict:
    """Return a result file, or {} where there is none."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *[[str(cell) for cell in row] for row in rows]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def measured(found: dict) -> str:
    """Say on what a result was measured."""
    machine, versions = found["machine"], found["versions"]
    device = found.get("device", "cpu")
    gpu = "" if device == "cpu" else f"{device}, "
    cells = found["results"] if isinstance(found.get("results"), list) else []
    # Cells that were run on other machines say so; the file's own is that of the last one.
    others = {r["machine"].partition(", JAX")[0] for r in cells if "machine" in r}
    name = machine["processor"]
    others -= {name}
    name += f" (some cells: {', '.join(sorted(others))})" if others else ""
    return (
        f"\n{gpu}{name}, {machine['cores']} cores; Python {versions['python']}, "
        f"JAX {versions['jax']}; {found['date']}, commit {found['commit'][:7]}.\n"
    )


def percent(row: dict) -> str:
    """Return a success rate with its interval."""
    low, high = row["success_ci95"]
    return f"{100 * row['success_rate']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"


def shares(results: list[dict], name: str) -> str:
    """Return a figure of several runs, in percent."""
    return ", ".join(f"{100 * r[name]:.1f}" for r in results) + " %"


def by(results: list[dict], *names: str) -> dict[Any, list[dict]]:
    """Group runs by the values of some names."""
    groups: dict[Any, list[dict]] = {}
    for r in results:
        groups.setdefault(itemgetter(*names)(r), []).append(r)
    return groups


def cell(seeds: list[dict]) -> tuple[str, str]:
    """Return the success of several runs, and the longest of their times."""
    good = [r for r in seeds if "error" not in r]
    if not good:
        return ("", "")
    return (shares(good, "success_rate"), f"{max(r['wall_s'] for r in good):.0f} s")


def middle(results: list[dict], name: str) -> str:
    """Return the median of a figure."""
    return f"{statistics.median(r[name] for r in results if name in r):,.0f}"
