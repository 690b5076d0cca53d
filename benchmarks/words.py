"""The words after `memup train`, as rows of suites write them."""

from collections.abc import Iterable, Mapping


def words(text: str = "", fields: Mapping[str, object] | None = None) -> list[str]:
    """Return words: those of a text, then an option for each field."""
    given = [w for name, value in (fields or {}).items() for w in (f"--{name}", _say(value))]
    return [*text.split(), *given]


def changed(given: Iterable[str], fields: Mapping[str, object]) -> list[str]:
    """Return words with fields in place of their old values: a field is given once."""
    left = list(given)
    for name in fields:
        if f"--{name}" in left:
            at = left.index(f"--{name}")
            del left[at : at + 2]
    return [*left, *words(fields=fields)]


def _say(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else f"{value}"
