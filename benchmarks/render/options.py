"""The page of all options, docs/options.md, from the dataclasses that define them."""

from collections.abc import Iterable, Iterator, Mapping

from benchmarks.render.markdown import table
from memup.core.options import LARGEST, Option
from memup.core.registry import Entry
from memup.specs.general import GENERAL, PARTS

HEAD = """# Options

Every option has one name: on the command line (`--memory.size 128`), in spec.json, and in Python,
where a dot may be written as two underscores (`memup.spec(env="tmaze-100", memory__size=128)`).
`memup train tmaze-100 --help` lists those that exist for a preset and the parts it names, with the
preset's own values.

This page is made from the dataclasses that define the options (`python -m benchmarks render`).
"""
GENERAL_HEAD = "\n## Options of every run\n\n"
TITLES = {
    "training": "Ways of training",
    "agent": "Agents",
    "memory": "Memories",
    "method.detector": "Detectors",
    "method.selector": "Selectors",
    "method.order": "Orders",
    "method.target": "Targets",
}
COLUMNS = ("option", "default", "values", "")


def page() -> str:
    """Return the text of docs/options.md."""
    return HEAD + GENERAL_HEAD + _rows("", GENERAL) + "".join(_part(name) for name in PARTS)


def _part(name: str) -> str:
    """Return the section of a field that names something with options of its own."""
    part = PARTS[name]
    lines = [f"\n## {TITLES[name]}\n\nNamed by `{name}`.\n"]
    none = [n for n, entry in part.table.items() if not entry.options]
    for names, entry in _sharing(part.table):
        lines.append(f"\n### {_listed(names)}\n\n{_rows(f'{part.prefix}.', entry.options)}")
    if none:
        lines.append(f"\nWithout options: {_listed(none)}.\n")
    return "".join(lines)


def _sharing(entries: Mapping[str, Entry]) -> Iterator[tuple[list[str], Entry]]:
    """Yield those that have options, together where these are the same ones."""
    together: dict[object, list[str]] = {}
    for name, entry in entries.items():
        if entry.options:
            together.setdefault(entry.config, []).append(name)
    for names in together.values():
        yield names, entries[names[0]]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _rows(prefix: str, options: Mapping[str, Option]) -> str:
    rows = (
        (f"`{prefix}{name}`", _default(option), _values(prefix + name, option), option.doc)
        for name, option in options.items()
    )
    return table(COLUMNS, rows)


def _default(option: Option) -> str:
    if isinstance(option.default, bool):
        return str(option.default).lower()
    return str(option.default)


def _values(name: str, option: Option) -> str:
    """Say what an option may be."""
    if name in PARTS:
        title = TITLES[name].lower()
        return f"one of the [{title}](#{title.replace(' ', '-')})"
    kind, low, high = type(option.default), option.low, option.high
    if option.choices:
        return _listed(option.choices)
    if kind is bool:
        return "true or false"
    if kind is str:
        return "text"
    what = "whole number" if kind is int else "number"
    if low is not None and high is not None and high <= LARGEST:
        return f"{what}, {low} to {high}"
    return what if low is None else f"{what}, at least {low}"
