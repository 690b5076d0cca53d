"""What README and docs say must run: Python blocks are executed, command lines are parsed."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import tiny

import memup.cli.bench
import memup.cli.parser
import memup.cli.train
from memup.cli import VERBS, main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MODULE = """
import gymnasium as gym

gym.register("MyEnv-v0", "gymnasium.envs.classic_control:CartPoleEnv")
"""


def blocks(page, language):
    """Return the code blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def inline(page):
    """Return what stands in backticks outside blocks."""
    outside = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    return [code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", outside)]


def commands():
    """Return every whole `memup VERB ...` of the pages, without the program's name."""
    found = {}
    for page in PAGES:
        lines = "\n".join(blocks(page, "bash")).splitlines() + inline(page)
        for line in lines:
            words = line.partition("#")[0].strip().removeprefix(".venv/bin/")
            if words.startswith("memup ") and "..." not in words:
                found[words.removeprefix("memup ")] = page.name
    return found


def pages_with_python():
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, "python")]


DONE = subprocess.CompletedProcess([], 0)


class Parsed(Exception):
    """A verb has parsed its command line."""


@pytest.mark.parametrize("line", commands(), ids=lambda line: line.replace("/", "-"))
def test_command_lines_parse(line, monkeypatch, tmp_path, capsys):
    (tmp_path / "mymodule.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    # Nothing is trained; of the verbs without fields, parsing is all there is to see.
    monkeypatch.setattr(memup.cli.train, "train", lambda *args, **kwargs: 0)
    # A suite is looked up by its name, and not measured.
    monkeypatch.setattr(memup.cli.bench.subprocess, "run", lambda *args, **kwargs: DONE)
    words = shlex.split(line)
    if len(words) == 1 and words[0] in VERBS:  # a verb that the text speaks of
        return
    if words[0] not in {"train", "list"} and "--help" not in words and "--version" not in words:
        parse = memup.cli.parser.Parser.parse

        def stop(self, argv):
            raise Parsed(parse(self, argv))

        monkeypatch.setattr(memup.cli.parser.Parser, "parse", stop)
    try:
        assert main(words) == 0, capsys.readouterr().err
    except Parsed:
        pass
    except SystemExit as ended:  # --help
        assert not ended.code


def test_there_are_command_lines():
    assert {"train tmaze-100", "demo"} <= set(commands())


@pytest.mark.parametrize("page", pages_with_python())
def test_python_blocks_run(page, capsys, monkeypatch, tmp_path):
    """One after the other in one folder: a block may load what one before it has saved."""
    trained = tmp_path / "runs" / "tmaze-100-seed0"
    trained.mkdir(parents=True)
    shutil.copy(tiny.finished_run() / "model.safetensors", trained)
    monkeypatch.chdir(tmp_path)
    for number, code in enumerate(blocks(page, "python")):
        exec(compile(code, f"<{page.name}, block {number}>", "exec"), {"__name__": "block"})
    for accuracy in re.findall(r"accuracy.*: ([\d.]+)", capsys.readouterr().out):
        assert float(accuracy) > 0.95


def test_links_lead_somewhere():
    for page in PAGES:
        text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
        for target in re.findall(r"(?<!!)\[[^\]]*\]\(([^)#]+)[^)]*\)", text):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_example_environment_of_the_docs_works():
    import jax
    import numpy as np

    code = next(c for c in blocks(ROOT / "docs" / "your-environment.md", "python") if "Recall" in c)
    names = {"__name__": "block"}
    exec(code, names)
    env = names["Recall"](wait=3)
    state, step = env.reset(key=jax.random.key(0))
    sign = float(step.obs[0])
    for t in range(4):
        assert not step.terminated
        assert float(step.obs[1]) == (t == 3)
        state, step = env.step(state, np.int32(sign > 0), key=jax.random.key(1))
    assert step.terminated and step.success and float(step.reward) == 1.0
