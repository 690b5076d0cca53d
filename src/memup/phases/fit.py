"""The loop: phases one after the other, as events. It knows no disk and no terminal."""

import ctypes
import gc
import sys
from collections.abc import Callable, Generator, Sequence
from typing import Any, NamedTuple

from jaxtyping import PyTree

from memup.core.types import Metrics
from memup.phases.base import AbstractPhase, Workspace


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
    """Phases and the workspace they share."""

    phases: Sequence[AbstractPhase]
    workspace: Workspace


def fit(
    job: Job, at: int = 0, state: PyTree = None, advances: int = 0
) -> Generator[Event, None, None]:
    """Run the phases of a job from phase `at` on.

    Args:
        job: what to do.
        at: number of the phase to begin with; those before must have left their results.
        state: its state, if it had begun; see `resume`.
        advances: its advances so far.

    Yields:
        An event after every advance.
    """
    workspace = job.workspace
    try:
        for number, phase in enumerate(job.phases[at:], start=at):
            if state is None:
                phase.prepare(workspace)
                state, advances = phase.start(workspace), 0
            last = False
            while not last:
                state, metrics, last = phase.advance(workspace, state)
                advances += 1
                if last:
                    phase.finish(workspace, state)
                    workspace.results |= phase.results(state)
                yield Event(
                    phase.name,
                    advances,
                    metrics,
                    last,
                    _snapshot(workspace, number, state, advances, last),
                )
            state = None
            _give_back_memory()
    finally:
        workspace.close()


def _give_back_memory() -> None:
    """Return to the system what a phase has freed: rounds of long episodes leave large holes."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
        if trim is not None:
            trim(0)


def _snapshot(
    workspace: Workspace, number: int, state: PyTree, advances: int, last: bool
) -> Callable[[], Snapshot]:
    def take() -> Snapshot:
        about = {"facts": workspace.facts, "episodes": workspace.store.next_id}
        if last:  # go on with the next phase, which begins from nothing
            return Snapshot(
                {"state": (), "results": dict(workspace.results)},
                {"phase": number + 1, "advances": 0, **about},
            )
        return Snapshot(
            {"state": state, "results": dict(workspace.results)},
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
    workspace, number, advances = job.workspace, about["phase"], about["advances"]
    workspace.facts |= about["facts"]
    workspace.store.rollback(about["episodes"])
    for phase in job.phases[:number]:
        phase.prepare(workspace)
        workspace.results |= phase.results(phase.start(workspace))
    state: PyTree = ()
    if advances:
        job.phases[number].prepare(workspace)
        state = job.phases[number].start(workspace)
    tree = load({"state": state, "results": dict(workspace.results)})
    workspace.results |= tree["results"]
    for phase in job.phases[:number]:
        phase.restore(workspace)
    return number, (tree["state"] if advances else None), advances
