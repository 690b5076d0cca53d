"""A module imports only from lower floors and from its own folder (docs/decisions.md)."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "memup"
FLOORS = [
    {"core"},
    {"ops"},
    {"nn"},
    {"memories", "envs", "tasks", "data"},
    {"method"},
    {"agents", "explore", "planning"},
    {"acting"},
    {"evaluation"},
    {"phases"},
    {"specs"},
    {"build"},
    {"runs"},
    {"models"},
    {"reports", "fleet"},
    {"api"},
    {"cli"},
    {"__main__"},
]
FLOOR = {place: floor for floor, places in enumerate(FLOORS) for place in places}
FILES = sorted(p for p in ROOT.rglob("*.py") if p.relative_to(ROOT) != Path("__init__.py"))
LOOSE = {"__init__", "__main__", "api"}
NO_JAX = {"specs", "reports"}
NO_JAX_FILES = {
    "core/errors.py",
    "core/options.py",
    "core/registry.py",
    "agents/configs.py",
    "agents/table.py",
    "memories/configs.py",
    "memories/table.py",
    "core/jsonfiles.py",
    "core/families.py",
    "core/spaces.py",
    "runs/rundir.py",
    "method/detectors/table.py",
    "method/orders/table.py",
    "method/selectors/table.py",
    "method/targets/table.py",
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
        assert FLOOR[parts[1]] < FLOOR[here], f"{here} (floor {FLOOR[here]}) imports {name}"


def test_no_file_is_loose():
    assert {path.stem for path in ROOT.glob("*.py")} == LOOSE


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_holds_two_ideas(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    assert path.stem not in {"utils", "helpers", "common"}
    functions = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef)]
    long = [n.name for n in functions if n.end_lineno - n.lineno >= 60]
    assert not long, f"functions above 60 lines: {long}"


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if place(p) in NO_JAX or str(p.relative_to(ROOT)) in NO_JAX_FILES],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_files_that_must_start_fast_never_import_jax(path):
    heavy = {"jax", "equinox", "optax"}
    assert not heavy & {name.split(".")[0] for name in imports(path)}
