"""The tasks on which three memories made their name, each beside an LSTM of the same budget.

Full back-propagation; an interrupted cell goes on where it stopped (runs/headlines).
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import optax

from benchmarks.measures.sequence_tasks import copy, digits, repeat_copy
from benchmarks.measures.supervised import CELLS, CHUNK, Optimiser, System, run
from benchmarks.suite import Cell


def adam(rate: float, norm: float, updates: int) -> Optimiser:
    """Make Adam whose rate falls to 0, on gradients of at most this norm."""
    schedule = optax.linear_schedule(rate, 0.0, updates)
    chain = optax.chain(optax.clip_by_global_norm(norm), optax.adam(schedule))
    return Optimiser(f"Adam, rate {rate:g} falling to 0, gradient norm {norm:g}", chain)


def ntm(updates: int = 10_000) -> list[System]:
    """Copy (NTM, section 4.1), with Adam and the constant memory of Collier and Beel 2018.

    Their clipping, a norm of 50 with the loss in nats a sequence, let single updates undo what was
    learned; 5 does not.
    """
    tests = {f"length {n}": copy(n, exact=True) for n in (20, 40, 60)}
    optimiser = adam(1e-3, 5.0, updates)
    options = {
        "ntm": {"size": 64, "slots": 64, "width": 20, "timescale": 0},
        "lstm": {"size": 150, "timescale": 0},
    }
    return [
        System(name, name, given, ((copy(20), updates),), tests, optimiser, 8)
        for name, given in options.items()
    ]


def dnc(updates: int = 100_000) -> list[System]:
    """Repeat-copy with the task, sizes and optimiser of DeepMind's release (dnc/train.py)."""
    # TensorFlow's RMSProp begins with a mean square of 1.
    rmsprop = optax.rmsprop(1e-4, decay=0.9, eps=1e-10, initial_scale=1.0)
    optimiser = Optimiser(
        "RMSProp, rate 0.0001, gradient norm 50",
        optax.chain(optax.clip_by_global_norm(50.0), rmsprop),
    )
    sizes = {"size": 64, "slots": 16, "width": 16, "read_heads": 4, "timescale": 0}
    options = {"dnc": sizes, "lstm": {"size": 128, "timescale": 0}}
    task = repeat_copy()
    return [
        System(name, name, given, ((task, updates),), {"test": task}, optimiser, 16, 2048)
        for name, given in options.items()
    ]


def rim(updates: int = 24_000) -> list[System]:
    """The copying task of RIM (section 4.1), with smaller mechanisms than the paper's 6 of 100.

    The first lesson has a gap of 10, where an update takes half the time; no gap is above 50.
    """
    tests = {f"gap {n}": digits(n) for n in (50, 200)}
    short = 2 * updates // 5 // CHUNK * CHUNK
    lessons = (digits(10), short), (digits(50), updates - short)
    sizes = {"size": 6 * 32, "mechanisms": 6, "active": 4, "values": 32, "keys": 32}
    options = {
        "rim": {**sizes, "comm_keys": 16, "comm_heads": 2, "timescale": 0},
        "lstm": {"size": 192, "timescale": 0},
    }
    return [
        System(name, name, given, lessons, tests, adam(5e-3, 1.0, updates), 16)
        for name, given in options.items()
    ]


HEADLINES: dict[str, Callable[..., list[System]]] = {"ntm": ntm, "dnc": dnc, "rim": rim}


def measure(cell: Cell) -> dict:
    """Train and test one system with one seed."""
    task, name = cell.row.spec["task"], cell.labels["system"]
    more = {"updates": 3 * CHUNK} if cell.quick else {}
    system = next(s for s in HEADLINES[task](**more) if s.name == name)
    with tempfile.TemporaryDirectory() as quick:
        found = run(system, cell.seed or 0, Path(quick) if cell.quick else CELLS / task)
    return {**found, "settings": system.settings()}
