"""The benchmark of the tasks that made NTM, DNC and RIM known: its data, and tiny forms of them."""

import itertools
import sys
from pathlib import Path

import jax
import numpy as np
import optax
import pytest

from memup.core.errors import MemupError

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks.measures import sequence_tasks as tasks, supervised


def rows(task, n=8):
    drawn = jax.jit(jax.vmap(task.row))(jax.random.split(jax.random.key(1), n))
    for i in range(n):
        yield jax.tree.map(lambda a, i=i: np.asarray(a[i]), drawn)


def test_copy_says_each_sequence_after_its_delimiter():
    lengths = set()
    for row in rows(tasks.copy(5), 16):
        begins = [*np.flatnonzero(row.first), len(row.x)]
        assert len(begins) == 3 and begins[0] == 0
        for a, b in itertools.pairwise(begins):
            n = (b - a) // 2
            lengths.add(n)
            assert row.x[a:b, -1].tolist() == [0] * n + [1] + [0] * n
            np.testing.assert_array_equal(row.target[a + n + 1 : b], row.x[a : a + n, :-1])
            assert not row.x[a + n + 1 : b].any()
            assert row.asked[a:b].tolist() == [False] * (n + 1) + [True] * n
        np.testing.assert_array_equal(row.weight, row.asked / 2)
    assert lengths == {1, 2, 3, 4, 5}


def test_copy_of_one_length():
    for row in rows(tasks.copy(4, exact=True), 2):
        assert row.x.shape == (9, 9) and row.first.tolist() == [True] + [False] * 8
        np.testing.assert_array_equal(row.target[5:], row.x[:4, :-1])
        assert row.weight.sum() == 4


def test_repeat_copy_says_the_pattern_and_ends():
    seen = set()
    for row in rows(tasks.repeat_copy(bits=3), 16):
        n = int(np.flatnonzero(row.x[:, 4])[0]) - 1
        repeats = round(10 * float(row.x[n + 1, 4]))
        seen.add((n, repeats))
        assert row.x[0].tolist() == [0, 0, 0, 1, 0]
        begin, end = n + 2, n + 2 + n * repeats
        said = np.tile(row.x[1 : n + 1, :3], (repeats, 1))
        np.testing.assert_array_equal(row.target[begin:end, :3], said)
        assert row.target[:, 3].tolist() == [float(t == end) for t in range(len(row.x))]
        assert np.flatnonzero(row.asked).tolist() == list(range(begin, end + 1))
        assert not row.x[begin:].any()
    assert seen == {(1, 1), (1, 2), (2, 1), (2, 2)}


def test_digits_are_asked_for_after_the_marker():
    for row in rows(tasks.digits(gap=4, count=3), 2):
        symbols = row.x.argmax(1)
        assert symbols[3:].tolist() == [0, 0, 0, 9, 0, 0, 0]
        assert (symbols[:3] >= 1).all() and (symbols[:3] <= 8).all()
        assert row.target.tolist() == [0] * 7 + symbols[:3].tolist()
        np.testing.assert_allclose(row.weight, 0.1)


def result(folder, memory, options, task, updates, rate=1e-2, tests=None, rows=16):
    chain = optax.chain(
        optax.clip_by_global_norm(5.0), optax.adam(optax.linear_schedule(rate, 0.0, updates))
    )
    optimiser = supervised.Optimiser(f"Adam {rate}", chain)
    tests = tests or {"test": task}
    system = supervised.System(
        memory, memory, options, ((task, updates),), tests, optimiser, rows, test_rows=64
    )
    return supervised.run(system, 0, folder, chunk=50)


def test_ntm_copies_longer_than_it_was_taught_and_an_lstm_does_not(tmp_path):
    task, tests = tasks.copy(3), {"longer": tasks.copy(5, exact=True)}
    sizes = {
        "ntm": {"size": 24, "slots": 8, "width": 10, "timescale": 0},
        "lstm": {"size": 32, "timescale": 0},
    }
    right = {
        name: result(tmp_path, name, given, task, 1500, tests=tests)
        for name, given in sizes.items()
    }
    right = {name: found["tests"]["longer"]["right"] for name, found in right.items()}
    assert right["ntm"] >= 0.95
    assert right["lstm"] <= 0.8


def test_dnc_repeats(tmp_path):
    given = {"size": 24, "slots": 6, "width": 8, "timescale": 0}
    found = result(tmp_path, "dnc", given, tasks.repeat_copy(), 1000)
    assert found["tests"]["test"]["right"] >= 0.99


def test_rim_remembers_over_a_gap(tmp_path):
    given = {"size": 32, "mechanisms": 4, "active": 2, "keys": 8, "values": 8, "timescale": 0}
    task = tasks.digits(gap=5, count=2, kinds=2)
    found = result(tmp_path, "rim", given, task, 1000)
    assert found["tests"]["test"]["cross_entropy"] <= 0.1


def test_a_cell_goes_on_and_refuses_other_settings(tmp_path):
    """Two calls of 50 updates are one of 100, bit for bit."""
    task, given = tasks.copy(2), {"size": 4}
    chain = optax.adam(1e-2)

    def cell(rows, folder):
        made = supervised.System(
            "a", "rnn", given, ((task, 100),), {}, supervised.Optimiser("Adam", chain), rows
        )
        return supervised.Cell.open(made, 0, tmp_path / folder)

    whole, part = cell(2, "whole"), cell(2, "part")
    whole.learn(task, 100, 50)
    part.learn(task, 50, 50)
    again = cell(2, "part")
    assert again.updates == 50
    again.learn(task, 100, 50)
    np.testing.assert_array_equal(whole.state.params, again.state.params)
    assert whole.curve == again.curve
    with pytest.raises(MemupError, match="of other settings"):
        cell(3, "part")
