"""Options: each is defined once, bounded, and its line of help stands alone."""

import inspect
from functools import partial

import pytest

from memup.agents.table import AGENTS
from memup.core.errors import MemupError
from memup.core.options import LARGEST, Config, Option, option, options_of
from memup.memories.table import MEMORIES
from memup.specs.general import GENERAL, PARTS

ENTRIES = {
    f"{kind} {name}": entry
    for kind, table in (("memory", MEMORIES), ("agent", AGENTS))
    for name, entry in table.items()
}
PART_ENTRIES = {f"{p.prefix} {name}": e for p in PARTS.values() for name, e in p.table.items()}


@pytest.mark.parametrize("name", ENTRIES)
def test_no_signature_repeats_a_default(name):
    """An option's default is in its dataclass: none is in what the entry makes."""
    entry = ENTRIES[name]
    factory = entry.load()
    factory = factory.func if isinstance(factory, partial) else factory
    for parameter in inspect.signature(factory).parameters.values():
        known = parameter.name in entry.options
        assert not known or parameter.default is inspect.Parameter.empty, parameter


def lines():
    own = [(f"{m}.{n}", o.doc) for m, e in PART_ENTRIES.items() for n, o in e.options.items()]
    return own + [(name, option.doc) for name, option in GENERAL.items()]


@pytest.mark.parametrize("name, doc", lines())
def test_a_line_of_help_stands_alone(name, doc):
    assert len(doc.split()) >= 3 and doc.split()[0] not in {"of", "and", "or"}
    assert "\n" not in doc and not doc.endswith(".")


@pytest.mark.parametrize(
    "default, value, expected",
    [
        (1, 1e24, "expected at most"),
        (1, 10**24, "expected at most"),
        pytest.param(1, 10**400, "expected at most", id="a huge int"),
        (1, float("inf"), "expected int"),
        (1, float("nan"), "expected int"),
        (1, "1e24", "expected int"),
        (1, True, "expected int"),
        (1, [], "expected int"),
        (1, None, "expected int"),
        pytest.param(1.0, 10**400, "expected float", id="a huge float"),
        (1.0, float("nan"), "expected a finite number"),
        (1.0, "inf", "expected a finite number"),
        (1.0, True, "expected float"),
        (1.0, "fast", "expected float"),
        (True, 2, "expected bool"),
        ("text", 3, "expected str"),
        ("text", None, "expected str"),
    ],
)
def test_values_of_another_kind_are_one_line(default, value, expected):
    with pytest.raises(MemupError, match=expected) as caught:
        Option(default, "for a test").parse("x", value)
    assert str(caught.value).startswith("x=") and "\n" not in str(caught.value)


def test_a_subclass_may_have_another_default():
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Base(Config):
        rate: float = option(0.5, "rate of the base", low=0.0)
        steps: int = option(7, "steps of either one")

    @dataclass(frozen=True)
    class Other(Base):
        rate: float = option(0.25, "rate of the other", low=0.0)

    assert options_of(Config) == {}
    assert {n: o.default for n, o in options_of(Other).items()} == {"rate": 0.25, "steps": 7}
    assert options_of(Other)["steps"].parse("steps", str(LARGEST)) == LARGEST
    assert Base().rate == 0.5 and Other().check({}) is None


def test_few_options_exist_whatever_is_chosen():
    assert len(GENERAL) <= 32
