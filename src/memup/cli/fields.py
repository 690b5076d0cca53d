"""The fields of a run on the command line: `--method.window 20`."""

from memup.cli.parser import Parser
from memup.core.errors import MemupError
from memup.core.options import Option
from memup.specs.general import GENERAL, PARTS
from memup.specs.presets import preset
from memup.specs.spec import RunSpec, all_options, carried, chosen, make_spec


def add_fields(parser: Parser, argv: list[str], base: dict[str, object]) -> None:
    """Add every field that exists for the parts that argv or the preset names, in groups.

    Args:
        parser: to add to.
        argv: command line, looked at for --memory, --agent and the like.
        base: fields that a preset sets.
    """
    named = {n: value for n in PARTS if (value := _peek(argv, n))}
    if not base and not _peek(argv, "env") and (_peek(argv, "task") or _peek(argv, "dataset")):
        named.setdefault("training", "supervised")
    given = {**base, **named}
    kept, groups = carried(base, named), {}
    for name, option in all_options(given).items():
        title = _group(name, chosen(given))
        if title not in groups:
            groups[title] = parser.add_argument_group(title)
        default = kept.get(name, option.default)
        groups[title].add_argument(
            f"--{name}", metavar=type(option.default).__name__.upper(), help=_help(option, default)
        )


def _group(name: str, names: dict[str, str]) -> str:
    """Return the title of the group of a field: general ones, then one for each part."""
    prefix = name.rpartition(".")[0]
    if name in GENERAL:
        return prefix or "general"
    [field] = [field for field, part in PARTS.items() if part.prefix == prefix]
    return f"{PARTS[field].kind} {names[field]}"


def _peek(argv: list[str], name: str) -> str:
    for position, word in enumerate(argv):
        if word == f"--{name}" and position + 1 < len(argv):
            return argv[position + 1]
        if word.startswith(f"--{name}="):
            return word.partition("=")[2]
    return ""


def _help(option: Option, default: object) -> str:
    choices = f"; one of {', '.join(option.choices)}" if option.choices else ""
    shown = "" if default == "" else f" [{default}]"
    return f"{option.doc}{choices}{shown}".replace("%", "%%")


def resolve(name: str | None, given: dict[str, str]) -> RunSpec:
    """Return the spec of a preset, or of no preset, with the given fields."""
    if name is not None:
        return preset(name, **given)
    if not any(given.get(source) for source in ("env", "dataset", "task")):
        raise MemupError(
            "what should be trained? expected a preset (see `memup list presets`), --env ID, "
            "--task ID or --dataset PATH"
        )
    if not given.get("env"):
        given = {"training": "supervised", "method.target": "label", **given}
    return make_spec(given)
