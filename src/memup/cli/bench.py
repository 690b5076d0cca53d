"""memup bench: the scripts of benchmarks/, which come with the source checkout."""

import subprocess
import sys
from pathlib import Path

from memup.cli.parser import Parser
from memup.core.errors import require, unknown_name

FOLDER = Path(__file__).parents[3] / "benchmarks"


def run(argv: list[str]) -> int:
    """Run benchmarks/NAME.py with the remaining arguments."""
    require(
        FOLDER.is_dir(), "benchmarks come with the source checkout, and this is an installation"
    )
    names = sorted(p.stem for p in FOLDER.glob("*.py"))
    parser = Parser("bench", "Run a benchmark of benchmarks/.")
    parser.add_argument("name", help=", ".join(names))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args, rest = parser.parse_known_args(argv)
    if args.name not in names:
        raise unknown_name("benchmark", args.name, names)
    command = [sys.executable, str(FOLDER / f"{args.name}.py"), *rest]
    return subprocess.run([*command, "--json"] if args.json else command, check=False).returncode
