"""Ids of environments: what they mean and what is said when they mean nothing."""

import subprocess
import sys

import jax
import pytest

from memup.core.errors import MemupError
from memup.envs.active import ActiveTMaze
from memup.envs.cartpole import CartPole
from memup.envs.distractors import TMazeDistractors
from memup.envs.endless import EndlessTMaze
from memup.envs.memory_game import MemoryGame
from memup.envs.memory_len import MemoryLen
from memup.envs.table import ENVS, EXAMPLES, check_env_id, make_env
from memup.envs.tmaze import TMaze

MEANINGS = {
    "tmaze-1000": TMaze(1000, "LNR"),
    "tmaze-ln-100": TMaze(100, "LN"),
    "tmaze-LS-7": TMaze(7, "LS"),
    "tmaze-anywhere-1000": TMaze(1000, "LNR", "anywhere"),
    "tmaze-distractors-5-lnr-100": TMazeDistractors(5, 100, "LNR"),
    "memory-len-50": MemoryLen(50),
    "tmaze-endless-5-50": EndlessTMaze(5, 50),
    "tmaze-active-20": ActiveTMaze(20),
    "memory-game-4": MemoryGame(4),
    "cartpole": CartPole(),
    "cartpole-hidden": CartPole(hidden=True),
}
MISTAKES = {
    "tmze-1000": "did you mean 'tmaze-1000'",
    "tmaze": "tmaze-1000",
    "t-maze-lnr-100": "did you mean 'tmaze-",
    "tmaze-0": "length=0: expected at least 1",
    "tmaze--5": "length=-5: expected at least 1",
    "tmaze-ln--5": "length=-5: expected at least 1",
    "tmaze-abc": "length='abc': expected int",
    "tmaze-1e3": "length='1e3': expected int",
    "tmaze-": "expected tmaze-<length>",
    "tmaze-lnx-5": "did you mean 'ln",
    "tmaze-99999999999": "expected at most",
    "tmaze-distractors-5": "such as tmaze-distractors-5-lnr-100",
    "tmaze-distractors-5-ls-100": "unknown mode 'ls'",
    "tmaze-distractors-95-ln-100": "at most length - 6",
    "tmaze-endless-0-5": "junctions=0",
    "tmaze-active-x": "expected int",
    "memory-len-0": "length=0",
    "memory-game-5": "cards=5: expected an even number",
    "memory-game-0": "cards=0: expected at least 2",
    "cartpole-hiden": "expected cartpole",
    "gym:": "such as gym:CartPole-v1",
    "gym:CartPol-v1": "did you mean 'gym:CartPole-v1'",
    "gym:no_such_module:X-v0": "cannot import 'no_such_module'",
    "": "expected one of",
}


@pytest.mark.parametrize("env_id", MEANINGS)
def test_an_id_means_its_class_and_numbers(env_id):
    check_env_id(env_id)
    # Every field is static, so the structure holds the class and all its settings.
    assert jax.tree.structure(make_env(env_id)) == jax.tree.structure(MEANINGS[env_id])


@pytest.mark.parametrize("env_id", MISTAKES)
def test_a_mistake_is_one_clear_line(env_id):
    for ask in (check_env_id, make_env):
        with pytest.raises(MemupError) as caught:
            ask(env_id)
        message = str(caught.value)
        assert MISTAKES[env_id] in message and "\n" not in message


def test_every_pattern_has_an_example_and_a_summary():
    assert EXAMPLES.keys() == ENVS.keys()
    assert all(entry.summary for entry in ENVS.values())


def test_listing_and_checking_never_load_jax():
    code = (
        "import sys\n"
        "from memup.envs.table import check_env_id\n"
        "check_env_id('tmaze-1000')\n"
        "assert 'jax' not in sys.modules\n"
        "check_env_id('gym:memup/NoisyTMaze-v0')\n"
        "assert 'jax' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_class_refuses_what_its_id_refuses():
    for make in (
        lambda: TMazeDistractors(5, 10),
        lambda: TMazeDistractors(5, 100, "LS"),
        lambda: EndlessTMaze(0, 5),
        lambda: MemoryLen(0),
        lambda: ActiveTMaze(3, slack=-1),
        lambda: MemoryGame(5),
    ):
        with pytest.raises(MemupError):
            make()
