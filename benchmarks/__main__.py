"""The command line of the benchmarks."""

import argparse
import json
import signal
import sys
from dataclasses import replace

from benchmarks import compare, runner
from benchmarks.render import tables
from benchmarks.suite import Suite
from benchmarks.suites import SUITES
from memup.core.errors import MemupError, unknown_name


def main(argv: list[str]) -> int:
    """Do what is asked; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", allow_abbrev=False)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, what in (("run", "measure a suite"), ("cell", "measure one cell in this process")):
        made = verbs.add_parser(verb, help=what, allow_abbrev=False)
        made.add_argument("suite", help=", ".join(SUITES))
        if verb == "cell":
            made.add_argument("name", help="of the cell")
        else:
            _running(made)
        made.add_argument("--quick", action="store_true", help="the smallest form, unrecorded")
        made.add_argument("--rival", default="", help="Python with the packages of the other side")
    listed = verbs.add_parser("list", help="suites, or the cells of one")
    listed.add_argument("suite", nargs="?")
    compare.add_arguments(verbs.add_parser("compare", help="time two checkouts in turn"))
    render = verbs.add_parser("render", help="write tables and pictures from the results")
    render.add_argument("--check", action="store_true", help="fail where a page is out of date")
    args = parser.parse_args(argv)
    return VERBS[args.verb](args)


def _running(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cells", default="*", metavar="PATTERN", help="part of their names; * ?")
    parser.add_argument("--again", action="store_true", help="measure what is recorded anew")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="cells at once")
    parser.add_argument("--json", action="store_true", help="a cell a line, which is always so")


def suite(name: str) -> Suite:
    """Return a suite by its name."""
    if name not in SUITES:
        raise unknown_name("suite", name, SUITES)
    return SUITES[name]


def _run(args: argparse.Namespace) -> int:
    asked = suite(args.suite)
    cells = asked.cells(args.cells, args.quick, args.rival)
    if not cells:
        raise MemupError(
            f"no cell of {asked.name} is called {args.cells!r}; "
            f"`python -m benchmarks list {asked.name}` names them"
        )
    return runner.run(asked, cells, args.again, args.workers)


def _cell(args: argparse.Namespace) -> int:
    asked = suite(args.suite)
    cell = next(c for c in asked.cells(rival=args.rival) if c.name == args.name)
    print(json.dumps(asked.load()(replace(cell, quick=args.quick))))
    return 0


def _list(args: argparse.Namespace) -> int:
    if args.suite:
        print("\n".join(cell.name for cell in suite(args.suite).cells()))
    else:
        print("\n".join(f"{s.name:18} {s.summary}" for s in SUITES.values()))
        print(f"{'(house)':18} updates, evaluation and demo beside another checkout: `compare`")
    return 0


VERBS = {
    "run": _run,
    "cell": _cell,
    "list": _list,
    "compare": lambda args: compare.run(args),
    "render": lambda args: tables.write(args.check),
}


def _stop(number: int, frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # What is asked to end takes the processes of its cells with it.
    signal.signal(signal.SIGTERM, _stop)
    try:
        sys.exit(main(sys.argv[1:]))
    except MemupError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
