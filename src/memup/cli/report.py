"""memup report: files of runs -> one page."""

from pathlib import Path

from memup.cli.parser import Parser
from memup.reports.page import write_report
from memup.runs.rundir import RunDir


def run(argv: list[str]) -> int:
    """Write the page and print its path."""
    parser = Parser("report", "Make the page of one run, or of several side by side.")
    parser.add_argument("run", nargs="+", help="run directories")
    parser.add_argument("--output", help="file to write [report.html in the run]")
    args = parser.parse(argv)
    runs = [RunDir.open(path) for path in args.run]
    print(write_report(runs, Path(args.output) if args.output else None))
    return 0
