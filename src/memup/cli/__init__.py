"""The command line: `memup VERB ...`. Heavy imports are made by the verb that needs them."""

import importlib
import os
import sys

from memup import __version__
from memup.core.errors import MemupError, unknown_name

VERBS = {
    "train": "train a preset, or any environment or data set",
    "eval": "evaluate a run on fresh episodes",
    "predict": "predict new sequences with a trained model",
    "export": "write the model of a run into one file that stands alone",
    "demo": "MemUP beside its controls on Noisy T-Maze-1000, in one table and one page",
    "profile": "does this problem need memory, and how long?",
    "report": "make the page of one run, or of several",
    "list": "what there is: presets, memories, agents, envs, ...",
    "bench": "run a benchmark",
    "doctor": "what is installed, and a check of a few seconds",
}


def main(argv: list[str] | None = None) -> int:
    """Run the command line; return its exit code (0 done, 2 bad input, 130 interrupted)."""
    # Not list(...): the verb `list` is a module of this package, which hides it once imported.
    argv = [*(sys.argv[1:] if argv is None else argv)]
    debug = "--debug" in argv
    argv = [a for a in argv if a != "--debug"]
    try:
        return _run(argv)
    except MemupError as error:
        if debug:
            raise
        print(f"memup: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("memup: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of our output has gone, as in `memup list envs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(argv: list[str]) -> int:
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0
    if argv[0] in {"-V", "--version"}:
        print(f"memup {__version__}")
        return 0
    verb, rest = argv[0], argv[1:]
    if verb not in VERBS:
        raise unknown_name("command", verb, VERBS)
    return importlib.import_module(f"memup.cli.{verb}").run(rest)


def _help() -> str:
    lines = [f"  {verb:<9}{what}" for verb, what in VERBS.items()]
    return "\n".join(
        [
            "usage: memup VERB ...   (memup VERB --help says more; --debug shows tracebacks)",
            "",
            "Teach agents and sequence models to remember over very long gaps.",
            "",
            *lines,
            "",
            "Begin with: memup demo, or memup train tmaze-100",
        ]
    )
