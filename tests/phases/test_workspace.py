"""The workspace: held-out episodes, and the random streams of a run."""

import re
from itertools import combinations
from pathlib import Path

import jax
import numpy as np
import pytest

from memup.core.spaces import Box
from memup.data.store import EpisodeStore
from memup.phases.base import Workspace


@pytest.mark.parametrize("period", [1, 2, 3, 4, 5, 8, 10, 16])
def test_held_out_episodes_are_in_step_with_no_regular_order(period):
    store = EpisodeStore()
    store.extend({"obs": np.zeros((20_000, 1), np.float32)}, np.ones(20_000, np.int64))
    train, held = Workspace(None, store, Box((1,)), None, 0).split_ids()
    assert len(train) + len(held) == 20_000 and not set(train.tolist()) & set(held.tolist())
    for kind in range(period):
        share = (held % period == kind).sum() / (20_000 / period)
        assert 0.6 / 16 < share < 1.4 / 16


PHASES = Path(__file__).parents[2] / "src" / "memup"
ASKED = re.compile(r'\.(?:key|rng)\((?:f?"([^"]+)"|(self\.name))')
OWN = re.compile(r'^    name = "([a-z]+)"$', re.MULTILINE)


def names_in_use() -> set[str]:
    """Every name that a phase or the builder draws under, as they are written in the source."""
    names = set()
    for path in [*PHASES.glob("phases/*.py"), *PHASES.glob("build/*.py")]:
        text = path.read_text()
        own = OWN.findall(text) or [""]
        for literal, bare in ASKED.findall(text):
            form = "{self.name}" if bare else literal
            names |= {form.replace("{self.name}", name) for name in own}
    return names


def test_all_names_in_use_have_streams_of_their_own():
    workspace, names = Workspace(None, EpisodeStore(), Box((1,)), None, 7), names_in_use()
    assert {"memory", "memory/select", "memory/selector", "policy", "policy/begin"} <= names
    for draw in (
        lambda name, count: jax.random.bits(workspace.key(name, count)).item(),
        lambda name, count: int(workspace.rng(name, count).integers(2**63)),
    ):
        drawn = {(name, count): draw(name, count) for name in names for count in range(4)}
        assert all(drawn[a] != drawn[b] for a, b in combinations(drawn, 2))


def test_a_seed_is_not_cut_to_32_bits():
    small, large = (
        Workspace(None, EpisodeStore(), Box((1,)), None, seed) for seed in (1, 2**32 + 1)
    )
    assert jax.random.bits(small.key("a")) != jax.random.bits(large.key("a"))
    assert small.rng("a").integers(2**63) != large.rng("a").integers(2**63)
