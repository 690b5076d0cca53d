"""Result files: cells as they are measured, each with where, when and by which commit."""

import json
import os
import platform
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from memup.core.jsonfiles import write_json
from memup.runs.rundir import commit

RESULTS = Path(__file__).parent / "results"


def processor() -> str:
    """Return the name of this machine's processor."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    return next(named, "") or platform.processor()


def here(cores: int) -> dict[str, Any]:
    """Say on what a cell is measured now."""
    return {
        "machine": f"{processor()}, JAX {version('jax')}",
        "cores": cores,
        "load_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "commit": (commit() or "")[:7],
        "date": time.strftime("%Y-%m-%d"),
    }


def load(name: str) -> dict[str, Any]:
    """Return a result file, or {} where there is none."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def find(name: str, labels: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the cell of these labels, if it is recorded."""
    cells = load(name).get("results", [])
    return next((cell for cell in cells if _is(cell, labels)), None)


def put(name: str, labels: Mapping[str, Any], figures: Mapping[str, Any]) -> None:
    """Record a cell in its place; the file is replaced as a whole, as another may read it."""
    found = load(name) or {"results": []}
    cell, cells = {**labels, **figures}, found["results"]
    at = next((i for i, known in enumerate(cells) if _is(known, labels)), len(cells))
    cells[at : at + 1] = [cell]
    RESULTS.mkdir(exist_ok=True)
    write_json(RESULTS / f"{name}.json", found)


def _is(cell: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    return all(key in cell and cell[key] == value for key, value in labels.items())
