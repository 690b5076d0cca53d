"""Write results with what they were measured on."""

import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

from memup.runs.rundir import commit, versions

RESULTS = Path(__file__).parent / "results"


def machine() -> dict:
    """Say what this machine is."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
    return {
        "processor": model or platform.processor(),
        "cores": os.cpu_count(),
        "load_at_start": os.getloadavg()[0],
        "system": platform.platform(),
    }


def where() -> str:
    """Say on what one cell of a result is measured: cells may be merged from several machines."""
    return f"{machine()['processor']}, JAX {version('jax')}"


def write(name: str, results: object, **about: object) -> None:
    """Write benchmarks/results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit(),
        "machine": machine(),
        "versions": versions(),
        **about,
        "results": results,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(path)


def earlier(name: str) -> object:
    """Return the results that are already there, or None."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text())["results"] if path.exists() else None
