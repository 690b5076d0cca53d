"""Plain supervised training of a memory by back-propagation through the whole sequence.

A memory from the table with a linear read-out. Many updates run in one compiled call, which also
draws the data; a cell (a system and a seed) goes on from its checkpoint.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from benchmarks.measures.sequence_tasks import Task
from memup.core.errors import require
from memup.core.tree import initial, rebuilder
from memup.memories.base import AbstractMemory
from memup.memories.make import make_memory
from memup.runs.checkpoint import about, load, save

CHUNK = 100
SAVE_EVERY_S = 30.0
CELLS = Path(__file__).parents[2] / "runs" / "headlines"


class Reader(eqx.Module):
    """A memory and a linear read-out of its output."""

    memory: AbstractMemory
    weight: Array
    bias: Array

    def __call__(self, x: Array, first: Array) -> Array:
        """Return the logits of a row, [T, O]."""
        _, out = self.memory.unroll(self.memory.initial_state(), x, first)
        return out @ self.weight + self.bias[None]


class Optimiser(NamedTuple):
    """A transformation of gradients, and what it is in words."""

    text: str
    apply: optax.GradientTransformation


@dataclass(frozen=True)
class System:
    """What is trained, and how.

    Attributes:
        name: of the cell's files.
        memory: a name of the table of memories.
        options: of that memory.
        lessons: tasks to train on, one after the other, and for how many updates.
        tests: what it is tested on, by name.
        optimiser: with its clipping.
        rows: B, rows of an update.
        test_rows: fresh rows of a test.
    """

    name: str
    memory: str
    options: Mapping[str, Any]
    lessons: tuple[tuple[Task, int], ...]
    tests: Mapping[str, Task]
    optimiser: Optimiser
    rows: int
    test_rows: int = 512

    @property
    def updates(self) -> int:
        """How many there are of all lessons."""
        return sum(n for _, n in self.lessons)

    def settings(self) -> dict[str, Any]:
        """Return what the result depends on, beside seed and code, as JSON."""
        return {
            "memory": {"name": self.memory, **self.options},
            "lessons": [{"task": task.name, "updates": n} for task, n in self.lessons],
            "optimiser": self.optimiser.text,
            "rows": self.rows,
        }

    def make(self, key: Array) -> Reader:
        """Draw a model."""
        key_memory, key_read = jax.random.split(key)
        task = self.lessons[-1][0]
        memory = make_memory(self.memory, task.inputs, **self.options, key=key_memory)
        shape, bound = (memory.output_size, task.outputs), memory.output_size**-0.5
        weight = jax.random.uniform(key_read, shape, minval=-bound, maxval=bound)
        return Reader(memory, weight, jnp.zeros(task.outputs))


class Training(NamedTuple):
    """Parameters as one vector, the optimiser's state, the key of the data, updates skipped."""

    params: Array
    optimiser: Any
    key: Array
    skipped: Array


def begin(system: System, seed: int) -> Training:
    """Return the state before the first update."""
    key_model, key_data = jax.random.split(jax.random.key(seed))
    params = initial(system.make, key_model)
    return Training(params, system.optimiser.apply.init(params), key_data, jnp.zeros((), jnp.int32))


def trainer(system: System, task: Task, chunk: int) -> Callable[[Training], tuple[Training, Array]]:
    """Return `chunk` updates on a task; they give the next state and their mean loss."""
    rebuild = rebuilder(system.make)

    def loss(params: Array, keys: Array) -> Array:
        rows = jax.vmap(task.row)(keys)
        logits = jax.vmap(rebuild(params))(rows.x, rows.first)
        nll = jax.vmap(task.nll)(logits, rows.target)
        weight = rows.weight[..., None] if task.bits else rows.weight
        return jnp.sum(weight * nll) / system.rows

    def update(state: Training, _: None) -> tuple[Training, Array]:
        key, key_rows = jax.random.split(state.key)
        keys = jax.random.split(key_rows, system.rows)
        value, gradient = jax.value_and_grad(loss)(state.params, keys)
        change, optimiser = system.optimiser.apply.update(gradient, state.optimiser, state.params)
        moved = Training(state.params + change, optimiser, key, state.skipped)
        good = jnp.isfinite(value) & jnp.all(jnp.isfinite(gradient))
        kept = state._replace(key=key, skipped=state.skipped + 1)
        return jax.tree.map(lambda a, b: jnp.where(good, a, b), moved, kept), value

    def updates(state: Training) -> tuple[Training, Array]:
        state, losses = jax.lax.scan(update, state, None, length=chunk)
        return state, jnp.nanmean(losses)

    return jax.jit(updates, donate_argnums=0)


def tester(system: System, task: Task) -> Callable[[Array], dict[str, Array]]:
    """Compile the figures of a test: means over what is asked, in fresh rows."""
    rebuild = rebuilder(system.make)

    @jax.jit
    def test(params: Array) -> dict[str, Array]:
        rows = jax.vmap(task.row)(jax.random.split(jax.random.key(999), system.test_rows))
        logits = jax.vmap(rebuild(params))(rows.x, rows.first)
        nll = jax.vmap(task.nll)(logits, rows.target)
        right = jax.vmap(task.right)(logits, rows.target)
        asked = jnp.broadcast_to(rows.asked[..., None] if task.bits else rows.asked, nll.shape)
        whole = jnp.all((right | ~asked).reshape(system.test_rows, -1), axis=1)
        mean = lambda a: jnp.sum(jnp.where(asked, a, 0)) / jnp.sum(asked)  # noqa: E731
        return {"right": mean(right), "cross_entropy": mean(nll), "whole_rows": jnp.mean(whole)}

    return test


@dataclass
class Cell:
    """A system and a seed, on the way."""

    system: System
    seed: int
    path: Path
    state: Training
    updates: int = 0
    wall_s: float = 0.0
    compile_s: float = 0.0
    curve: list[float] = field(default_factory=list)

    @classmethod
    def open(cls, system: System, seed: int, folder: Path) -> "Cell":
        """Go on from a checkpoint, or begin.

        Raises:
            MemupError: the checkpoint is of other settings.
        """
        path = folder / f"{system.name}-{seed}.safetensors"
        state = begin(system, seed)
        if not path.is_file():
            return cls(system, seed, path, state)
        known = about(path)
        require(
            known.pop("settings") == system.settings(),
            f"{path} is of other settings; remove it to begin anew",
        )
        return cls(system, seed, path, load(path, state), **known)

    def save(self) -> None:
        """Write the checkpoint."""
        known = ("updates", "wall_s", "compile_s", "curve")
        known = {name: getattr(self, name) for name in known}
        save(self.path, self.state, {"settings": self.system.settings(), **known})

    def learn(self, task: Task, until: int, chunk: int) -> None:
        """Make updates on a task until there are so many of all."""
        if self.updates >= until:
            return
        start = time.perf_counter()
        advance = trainer(self.system, task, chunk).lower(self.state).compile()
        saved = time.perf_counter()
        self.compile_s += saved - start
        while self.updates < until:
            start = time.perf_counter()
            self.state, loss = advance(self.state)
            self.curve.append(round(float(loss), 5))
            self.updates += chunk
            self.wall_s += time.perf_counter() - start
            self.show()
            if time.perf_counter() - saved > SAVE_EVERY_S or self.updates >= until:
                self.save()
                saved = time.perf_counter()

    def show(self) -> None:
        """Print how far it is: always on a terminal, else now and then."""
        last = self.updates % (10 * CHUNK) == 0
        if not (sys.stderr.isatty() or last):
            return
        of, speed = self.system.updates, self.updates / self.wall_s
        print(
            f"\r{self.system.name} seed {self.seed}: {self.updates:,}/{of:,} loss "
            f"{self.curve[-1]:.4f} {speed:.1f} updates/s, "
            f"{(of - self.updates) / speed / 60:.1f} min left  ",
            end="\n" if last else "",
            file=sys.stderr,
            flush=True,
        )


def run(system: System, seed: int, folder: Path = CELLS, chunk: int = CHUNK) -> dict[str, Any]:
    """Train and test a cell, from its checkpoint if there is one.

    Returns:
        The tests' figures, the loss on the way, and what was trained for how long.
    """
    cell, until = Cell.open(system, seed, folder), 0
    for task, updates in system.lessons:
        until += updates
        cell.learn(task, until, chunk)
    tests = {name: tester(system, task)(cell.state.params) for name, task in system.tests.items()}
    return {
        "system": system.name,
        "seed": seed,
        "tests": {n: {k: round(float(v), 5) for k, v in t.items()} for n, t in tests.items()},
        "parameters": int(cell.state.params.size),
        "updates": cell.updates,
        "updates_skipped": int(cell.state.skipped),
        "compile_s": round(cell.compile_s, 1),
        "wall_s": round(cell.wall_s, 1),
        "loss": _thin(cell.curve),
    }


def _thin(curve: list[float], points: int = 40) -> list[float]:
    return [curve[i] for i in np.unique(np.linspace(0, len(curve) - 1, points).astype(int))]
