"""The public names: as documented, importable, and not hidden by modules of the same name."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import memup

REFERENCE = (Path(__file__).parents[1] / "docs" / "reference.md").read_text()


def rows(section):
    """Return the first column of a section's table."""
    return re.findall(r"^\| `([\w.]+)` \|", section, re.M)


def test_names_are_documented_in_their_order():
    assert rows(REFERENCE.partition("## Parts")[0]) == memup.__all__


@pytest.mark.parametrize("name", memup.__all__)
def test_name_is_there_and_says_what_it_is(name):
    thing = getattr(memup, name)
    assert callable(thing)
    assert inspect.getdoc(thing)


@pytest.mark.parametrize("name", memup.__all__)
def test_no_module_hides_a_name(name):
    # Importing memup.NAME as a module would replace the attribute.
    assert name not in {module.name for module in pkgutil.iter_modules(memup.__path__)}


@pytest.mark.parametrize("name", rows(REFERENCE.partition("## Parts")[2]))
def test_parts_are_where_the_reference_says(name):
    module = importlib.import_module(name)
    line = next(line for line in REFERENCE.splitlines() if line.startswith(f"| `{name}`"))
    for part in re.findall(r"`([A-Za-z_]+)`", line.split("|")[2]):
        assert hasattr(module, part), f"{name}.{part}"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="trian"):
        _ = memup.trian
