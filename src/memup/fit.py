"""The loop: phases one after the other, as events. It knows no disk and no terminal."""

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from jaxtyping import PyTree

from memup.phases.base import AbstractPhase, World
from memup.types import Metrics


class Snapshot(NamedTuple):
    """All that a run needs to go on from here: arrays, and JSON beside them.

    Attributes:
        tree: {"state": of the running phase, "results": of the finished ones}.
        about: {"phase", "advances", "facts", "episodes"}.
    """

    tree: dict[str, PyTree]
    about: dict[str, Any]


class Event(NamedTuple):
    """One piece of work that is done.

    Attributes:
        phase: name of the phase.
        step: advances of this phase so far.
        metrics: numbers; "eval" and "explain" hold what belongs in files of their own.
        last: True if the phase ends here.
        snapshot: returns what a checkpoint must hold; call it before asking for the next event.
    """

    phase: str
    step: int
    metrics: Metrics
    last: bool
    snapshot: Callable[[], Snapshot]


class Job(NamedTuple):
    """Phases and the world they share."""

    phases: Sequence[AbstractPhase]
    world: World


def fit(job: Job, at: int = 0, state: PyTree = None, advances: int = 0) -> Iterator[Event]:
    """Run the phases of a job from phase `at` on.

    Args:
        job: what to do.
        at: number of the phase to begin with; those before must have left their results.
        state: its state, if it had begun; see `resume`.
        advances: its advances so far.

    Yields:
        An event after every advance.
    """
    world = job.world
    for number, phase in enumerate(job.phases[at:], start=at):
        if state is None:
            phase.prepare(world)
            state, advances = phase.start(world), 0
        last = False
        while not last:
            state, metrics, last = phase.advance(world, state)
            advances += 1
            if last:
                phase.finish(world, state)
                world.results |= phase.results(state)
            yield Event(
                phase.name, advances, metrics, last, _snapshot(world, number, state, advances, last)
            )
        state = None
        _give_back_memory()


def _give_back_memory() -> None:
    """Return to the system what a phase has freed: rounds of long episodes leave large holes."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
        if trim is not None:
            trim(0)


def _snapshot(
    world: World, number: int, state: PyTree, advances: int, last: bool
) -> Callable[[], Snapshot]:
    def take() -> Snapshot:
        about = {"facts": world.facts, "episodes": world.store.next_id}
        if last:  # go on with the next phase, which begins from nothing
            return Snapshot(
                {"state": (), "results": dict(world.results)},
                {"phase": number + 1, "advances": 0, **about},
            )
        return Snapshot(
            {"state": state, "results": dict(world.results)},
            {"phase": number, "advances": advances, **about},
        )

    return take


def resume(
    job: Job, about: dict[str, Any], load: Callable[[PyTree], PyTree]
) -> tuple[int, PyTree, int]:
    """Bring a job back to where a snapshot was taken.

    Args:
        job: freshly built from the same spec.
        about: the snapshot's JSON.
        load: returns the snapshot's tree, given one of the same structure.

    Returns:
        What `fit` takes: the phase's number, its state (None if it had not begun), its advances.
    """
    world, number, advances = job.world, about["phase"], about["advances"]
    world.facts |= about["facts"]
    world.store.rollback(about["episodes"])
    for phase in job.phases[:number]:
        phase.prepare(world)
        world.results |= phase.results(phase.start(world))
    state: PyTree = ()
    if advances:
        job.phases[number].prepare(world)
        state = job.phases[number].start(world)
    tree = load({"state": state, "results": dict(world.results)})
    world.results |= tree["results"]
    for phase in job.phases[:number]:
        phase.restore(world)
    return number, (tree["state"] if advances else None), advances
