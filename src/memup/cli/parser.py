"""Argument parsers whose mistakes are one clear line."""

import argparse
from typing import Any, NoReturn

from memup.core.errors import MemupError, unknown_name


class Parser(argparse.ArgumentParser):
    """argparse, but an error is a MemupError and names are never abbreviated."""

    def __init__(self, verb: str, description: str, **more: Any):
        super().__init__(prog=f"memup {verb}", description=description, allow_abbrev=False, **more)

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage."""
        raise MemupError(f"{message} (see {self.prog} --help)")

    def parse(self, argv: list[str]) -> argparse.Namespace:
        """Parse; an unknown option is answered with the nearest one."""
        known, unknown = self.parse_known_args(argv)
        for word in unknown:
            if word.startswith("--"):
                names = [s for a in self._actions for s in a.option_strings if s.startswith("--")]
                raise unknown_name("option", word.split("=")[0], names)
        if unknown:
            self.error(f"unexpected {unknown[0]!r}")
        return known
