"""A module imports only from lower floors and from its own folder (docs/decisions.md).

Single files of one floor (types and spaces, fit and phases) may import each other.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "memup"
FLOORS = [
    {"types", "tree", "spaces", "errors", "rundir", "jsonfiles", "tables", "families"},
    {"ops"},
    {"nn"},
    {"memories", "envs", "tasks", "data"},
    {"method", "agents", "explore", "planning", "stored"},
    {"evaluation", "examination", "checkpoint"},
    {"phases"},
    {"fit"},
    {
        "config",
        "presets",
        "task_presets",
        "long_presets",
        "agent_presets",
        "build",
        "build_agents",
        "build_parts",
    },
    {"reports", "fleet"},
    {"recording", "profiling"},
    {"api"},
    {"cli"},
    {"__main__"},
]
FLOOR = {place: floor for floor, places in enumerate(FLOORS) for place in places}
FILES = sorted(p for p in ROOT.rglob("*.py") if p.relative_to(ROOT) != Path("__init__.py"))
NO_JAX = {
    "errors",
    "rundir",
    "jsonfiles",
    "config",
    "reports",
    "tables",
    "families",
    "spaces",
    "presets",
    "task_presets",
    "agent_presets",
}


def place(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path, top_only: bool = False) -> list[str]:
    tree = ast.parse(path.read_text())
    nodes = tree.body if top_only else ast.walk(tree)
    names = []
    for node in nodes:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names += [f"memup.{a.name}" for a in node.names] if module == "memup" else [module]
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path):
    here = place(path)
    assert here in FLOOR, f"{here} stands on no floor"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "memup" or len(parts) == 1 or parts[1] == here:
            continue
        if parts[1] == "__version__":
            continue
        both_files = not (ROOT / here).is_dir() and not (ROOT / parts[1]).is_dir()
        allowed = FLOOR[here] if both_files else FLOOR[here] - 1
        assert FLOOR[parts[1]] <= allowed, f"{here} (floor {FLOOR[here]}) imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_holds_two_ideas(path):
    assert len(path.read_text().splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "common"}


@pytest.mark.parametrize(
    "path", [p for p in FILES if place(p) in NO_JAX], ids=lambda p: str(p.relative_to(ROOT))
)
def test_files_that_must_start_fast_never_import_jax(path):
    heavy = {"jax", "equinox", "optax"}
    assert not heavy & {name.split(".")[0] for name in imports(path)}
