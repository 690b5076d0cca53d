"""The episode store against a plain list of episodes, whatever is done to both."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from memup.core.errors import MemupError
from memup.data.store import EpisodeStore

LENGTHS = st.lists(st.integers(1, 5), min_size=1, max_size=4)
SHARE = st.floats(0, 1)


class AbstractMachine(RuleBasedStateMachine):
    on_disk = False

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "store" if self.on_disk else None
        self.episodes, self.scores = [], []
        self.released = self.made = 0

    def teardown(self):
        self.folder.cleanup()

    @initialize(limit=st.sampled_from([None, 1, 3]))
    def begin(self, limit):
        self.store, self.limit = EpisodeStore(self.path, limit), limit

    @property
    def first(self):
        return 0 if self.limit is None else max(0, len(self.episodes) - self.limit)

    def make(self, n):
        step = np.arange(self.made, self.made + n)
        self.made += n
        return {"x": np.stack([step, -step], 1).astype(np.int16), "y": step.astype(np.float32)}

    @rule(n=st.integers(1, 5), scored=st.booleans())
    def add(self, n, scored):
        episode = self.make(n)
        score = episode["y"] + 0.5 if scored else None
        assert self.store.add(episode, score) == len(self.episodes)
        self.episodes.append(episode)
        self.scores.append(np.full(n, np.nan, np.float32) if score is None else score)

    @rule(lengths=LENGTHS)
    def extend(self, lengths):
        new = [self.make(n) for n in lengths]
        whole = {name: np.concatenate([e[name] for e in new]) for name in ("x", "y")}
        ids = self.store.extend(whole, lengths)
        assert ids.tolist() == list(range(len(self.episodes), len(self.episodes) + len(new)))
        self.episodes += new
        self.scores += [np.full(n, np.nan, np.float32) for n in lengths]

    @rule(share=SHARE, seed=st.integers(0, 9))
    def score(self, share, seed):
        ids = self.store.ids
        if len(ids):
            ids = np.random.default_rng(seed).permutation(ids)[: 1 + int(share * (len(ids) - 1))]
            values = [np.full(len(self.episodes[i]["y"]), i + seed / 10, np.float32) for i in ids]
            self.store.set_scores(ids, values)
            for i, value in zip(ids, values, strict=True):
                self.scores[i] = value

    @rule(share=SHARE)
    def rollback(self, share):
        count = int(share * len(self.episodes))
        wanted = 0 if self.limit is None else max(0, count - self.limit)
        try:
            self.store.rollback(count)
        except MemupError:
            assert count < self.released if self.on_disk else wanted < self.first
            return
        del self.episodes[count:], self.scores[count:]
        self.released = min(self.released, count)

    @rule(share=SHARE)
    def release(self, share):
        if self.on_disk:
            count = int(share * len(self.episodes))
            self.store.release(count)
            self.released = max(self.released, count)

    @rule()
    def reopen(self):
        if self.on_disk:
            self.store = EpisodeStore.open(self.path)

    @invariant()
    def lists_agree(self):
        if not hasattr(self, "store"):
            return
        live = self.episodes[self.first :]
        assert self.store.ids.tolist() == list(range(self.first, len(self.episodes)))
        assert self.store.lengths().tolist() == [len(e["y"]) for e in live]
        assert self.store.steps == sum(len(e["y"]) for e in live)

    @invariant()
    def contents_agree(self):
        if not hasattr(self, "store") or not len(self.store):
            return
        ids = self.store.ids
        for i in ids:
            np.testing.assert_array_equal(self.store.episode(i)["x"], self.episodes[i]["x"])
            np.testing.assert_array_equal(self.store.scores(i), self.scores[i])
        got, valid = self.store.rows(ids, np.full(len(ids), -1), 8)
        lengths = self.store.lengths()
        for row, i in enumerate(ids):
            inside = np.clip(np.arange(-1, 7), 0, lengths[row] - 1)
            np.testing.assert_array_equal(got["x"][row], self.episodes[i]["x"][inside])
            np.testing.assert_array_equal(valid[row], inside == np.arange(-1, 7))
        last = self.store.at(ids, lengths - 1)["y"]
        np.testing.assert_array_equal(last, [self.episodes[i]["y"][-1] for i in ids])


class MemoryMachine(AbstractMachine):
    pass


class DiskMachine(AbstractMachine):
    on_disk = True


@pytest.mark.parametrize("machine", [MemoryMachine, DiskMachine])
def test_the_store_is_a_list_of_episodes(machine):
    case = machine.TestCase
    case.settings = settings(
        max_examples=25, stateful_step_count=15, deadline=None, derandomize=True, database=None
    )
    case().runTest()
