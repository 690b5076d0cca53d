"""Judge a model by what its file holds: in an environment, on a task, on stored sequences."""

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Int

from memup.build.parts import Parts
from memup.core.errors import MemupError, require
from memup.data.store import EpisodeStore
from memup.evaluation.agent import Evaluation
from memup.evaluation.model import evaluate_held_out, evaluate_model
from memup.evaluation.reader import Reader
from memup.evaluation.task import evaluate_task
from memup.method.update import Model as Trained
from memup.models.file import Contents
from memup.models.sequences import Sequences
from memup.phases.base import split
from memup.tasks.table import make_task

OnRow = Callable[[dict[str, Any]], None]


def in_environment(
    held: Contents,
    env: Any,
    name: str,
    episodes: int,
    seed: int,
    expected: float,
    on_row: OnRow | None = None,
) -> dict[str, Any]:
    """Let the agent of a model play fresh episodes, greedily; return `Evaluation.row`.

    Args:
        held: the model.
        env: where; it is closed at the end.
        name: of the environment, for errors.
        episodes: how many.
        seed: of the evaluation.
        expected: steps of an episode, as far as they are known.
        on_row: called now and then with how far it is.

    Raises:
        MemupError: the model has no policy, or other spaces.
    """
    own, source = held.blueprint, held.about.get("source")
    require(
        env.observation_space == own.observation_space and env.action_space == own.action_space,
        f"env {name!r}: its spaces differ from those of {source!r}, the run's own",
    )
    agent, state = held.agent()
    evaluation = Evaluation(agent, env, episodes, seed, expected)
    try:
        return evaluation.run(state, on_row)
    finally:
        evaluation.env.close()


def on_task(
    held: Contents, name: str, episodes: int, seed: int, on_row: OnRow | None = None
) -> dict[str, Any]:
    """Ask a model everything that fresh sequences of a task ask; return `evaluate_task`.

    Raises:
        MemupError: the model has no predictor, or sees something else.
    """
    task, own = make_task(name), held.blueprint
    require(
        task.space == own.observation_space,
        f"task {name!r}: its observations differ from those of {held.about.get('source')!r}, the "
        "run's own",
    )
    classes = own.facts.get("classes")
    return evaluate_task(_trained(held), task, own.query_length, episodes, seed, on_row, classes)


def on_held_out(held: Contents, store: EpisodeStore, episodes: int) -> dict[str, Any]:
    """Ask a model about what was held out of its own data set; return `evaluate_held_out`.

    Raises:
        MemupError: the model has no predictor, or the data set is not what it was.
    """
    before, now = held.about.get("data"), data_of(store)
    require(
        before == now,
        f"the data set has changed since the run: {now}, then {before}; expected the same, or "
        "dataset=PATH to judge on all of another one",
    )
    return evaluate_held_out(_reader(held), store, split(store.ids), episodes)


def on_stored(held: Contents, store: EpisodeStore, episodes: int) -> dict[str, Any]:
    """Ask a model about every outcome of another data set; return `evaluate_model`.

    Raises:
        MemupError: the model has no predictor, or the data set has other fields, shapes or values.
    """
    reader, ids = _reader(held), store.ids[:episodes]
    reader.target.check(store)
    Sequences(store, held.blueprint).check(len(ids))
    _check_classes(reader, store, ids, held.blueprint.labels)
    return evaluate_model(reader, store, ids)


def data_of(store: EpisodeStore) -> dict[str, int]:
    """Return what tells a data set from another one: {"sequences", "steps"}."""
    return {"sequences": len(store), "steps": int(store.steps)}


def _trained(held: Contents) -> Trained:
    require(held.model is not None, "the model has no predictor: end-to-end training has an agent")
    return held.model  # type: ignore[return-value]


def _reader(held: Contents) -> Reader:
    own, parts = held.blueprint, Parts(held.blueprint)
    spaces = own.observation_space, own.action_space
    return Reader(_trained(held), *spaces, own.query_length, parts.target())


def _check_classes(
    reader: Reader,
    store: EpisodeStore,
    ids: Int[np.ndarray, " E"],
    labels: Int[np.ndarray, "O A"] | None,
) -> None:
    """Raise MemupError at an outcome that is none of the classes of training, or of the labels."""
    classes = reader.model.likelihood.classes()
    for i in ids.tolist() if classes is not None else ():
        steps = np.arange(int(store.lengths(i)) - reader.target.lead)
        value = reader.target.values(store, np.full(len(steps), i), steps)
        require(
            value.shape[-1] == len(classes),
            f"sequence {i}: {value.shape[-1]} outcomes a step; expected {len(classes)}",
        )
        for o, (column, known) in enumerate(zip(value.T, classes.astype(np.float32), strict=True)):
            new = np.isfinite(column) & ~np.isin(column, known)
            if new.any():
                at, told = np.argmax(new), known
                found = column[at]
                if labels is not None:
                    told, found = labels[o], store.episode(i)["label"][at].reshape(-1)[o]
                raise MemupError(
                    f"sequence {i}: the outcome {found:.10g} was never seen in training; expected "
                    f"one of {len(np.unique(told))} values from {told.min():.10g} to "
                    f"{told.max():.10g}"
                )
