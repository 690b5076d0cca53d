"""memup bench: the suites of benchmarks/, which come with the source checkout."""

import subprocess
import sys
from argparse import RawDescriptionHelpFormatter
from pathlib import Path

from memup.cli.parser import Parser
from memup.core.errors import require, unknown_name

ROOT = Path(__file__).parents[3]


def run(argv: list[str]) -> int:
    """Run a suite of benchmarks/ with the remaining arguments."""
    require(
        (ROOT / "benchmarks" / "suites").is_dir(),
        "memup bench needs the source checkout: its benchmarks/ are not part of an installation",
    )
    names = suites()
    shown = "".join(f"\n  {name:18} {summary}" for name, summary in names.items())
    parser = Parser(
        "bench",
        "Run a suite of benchmarks/, cell by cell; what is recorded is not measured again.",
        epilog=f"suites:{shown}\n\nOptions of a run: `python -m benchmarks run --help`.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("suite", metavar="SUITE", help="one of the suites below")
    args, rest = parser.parse_known_args(argv)
    if args.suite not in names:
        raise unknown_name("benchmark suite", args.suite, names)
    command = [sys.executable, "-m", "benchmarks", "run", args.suite, *rest]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def suites() -> dict[str, str]:
    """Return the suites of the source checkout with a line for each."""
    sys.path.insert(0, str(ROOT))
    try:
        from benchmarks.suites import SUITES
    finally:
        sys.path.remove(str(ROOT))
    return {name: suite.summary for name, suite in SUITES.items()}
