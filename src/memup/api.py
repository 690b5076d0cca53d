"""What Python users call: train, load, evaluate."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import jax

from memup.build.job import Builder, build, own_env
from memup.core.errors import require
from memup.data.store import EpisodeStore
from memup.envs.base import AbstractEnv
from memup.envs.table import make_env
from memup.models.file import NAME, Contents, contents, save
from memup.models.judge import data_of, in_environment, on_held_out, on_stored, on_task
from memup.models.model import Model
from memup.phases.base import Workspace
from memup.phases.fit import Job, fit, resume
from memup.runs.checkpoint import about, load as load_tree
from memup.runs.recording import CHECKPOINT, Recorder, check_memory_of, polite_interrupt
from memup.runs.rundir import RunDir
from memup.specs.spec import RunSpec, make_spec

# What a model file can hold of what phases leave.
TRAINED = {"model", "agent"}


@dataclass(frozen=True)
class Run:
    """A trained run.

    Attributes:
        spec: what was run.
        job: its phases and workspace; `job.workspace.results` holds the trained arrays.
        results: rows of the final evaluation.
        path: run directory, if there is one.
    """

    spec: RunSpec
    job: Job
    results: list[dict[str, Any]]
    path: Path | None = None

    @cached_property
    def model(self) -> Model:
        """What was trained, apart from the run: it predicts, steps and acts."""
        return Model(_contents(self.spec, self.job))

    def save(self, path: str | Path) -> Path:
        """Write the model into one file that stands alone; `memup.load` reads it.

        Raises:
            MemupError: nothing was trained, or the file cannot be written.
        """
        return self.model.save(path)


def _contents(spec: RunSpec, job: Job) -> Contents:
    workspace = job.workspace
    source = spec["env"] or spec["task"] or Path(spec["dataset"]).name
    store = workspace.store
    about = {"source": source, "episode_length": store.mean_length, "data": data_of(store)}
    return contents(Builder(spec).blueprint(workspace), workspace.results, about)


def use_compilation_cache() -> None:
    """Keep compiled programs between starts, in the user's cache folder."""
    if jax.config.jax_compilation_cache_dir is None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        jax.config.update("jax_compilation_cache_dir", str(Path(home) / "memup" / "xla"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


def train(
    spec: RunSpec,
    run_dir: str | Path | None = None,
    *,
    store: EpisodeStore | None = None,
    env: AbstractEnv | None = None,
    fresh: bool = False,
    on_row: Callable[[dict[str, Any]], None] | None = None,
) -> Run:
    """Train, and evaluate what was trained.

    Args:
        spec: what to run; see `memup.preset` and `memup.spec`.
        run_dir: where to keep metrics, checkpoints and results. A run that was stopped there goes
            on where it stopped. None keeps nothing on disk.
        store: episodes to learn from, for supervised training.
        env: an environment of one's own, instead of the one that the spec names.
        fresh: begin anew beside a run directory that exists.
        on_row: called with every row of metrics.

    Returns:
        The trained run.

    Raises:
        MemupError: what was asked for cannot be done.
        KeyboardInterrupt: Ctrl-C was pressed; a checkpoint has been kept.
    """
    use_compilation_cache()
    if run_dir is None:
        job = build(spec, store, None, env)
        rows: list[dict[str, Any]] = []
        for event in fit(job):
            rows += [event.metrics["eval"]] if "eval" in event.metrics else []
            if on_row:
                on_row({"phase": event.phase, "step": event.step, **event.metrics})
        return Run(spec, job, rows)
    with RunDir.create(run_dir, dict(spec), fresh) as run:
        try:
            return _train_in(run, spec, store, env, on_row)
        except KeyboardInterrupt:
            run.set_status("interrupted", run.status().get("phase", ""))
            raise
        except BaseException as error:
            run.set_status("failed", run.status().get("phase", ""), str(error))
            raise


def _train_in(
    run: RunDir,
    spec: RunSpec,
    store: EpisodeStore | None,
    env: AbstractEnv | None,
    on_row: Callable[..., None] | None,
) -> Run:
    run.set_status("running", "start")
    checkpoint = run.checkpoints / CHECKPOINT
    begun = about(checkpoint) if checkpoint.exists() else {}
    check_memory_of(checkpoint, begun, spec)
    job = build(spec, store, None if store else run.path / "store", env)
    begin = (0, None, 0)
    if begun:
        begin = resume(job, begun, lambda like: load_tree(checkpoint, like))
    elif job.workspace.store.next_id and store is None and not spec["dataset"]:
        job.workspace.store.rollback(0)
    if begin[0] == len(job.phases):  # done before; rows that `memup eval` has added since stay
        if not (run.path / NAME).exists():
            save(run.path / NAME, _contents(spec, job))
        run.set_status("done", "")
        return Run(spec, job, run.rows("eval"), run.path)
    recorder = Recorder(run, begun)
    try:
        with polite_interrupt() as asked, contextlib.closing(fit(job, *begin)) as events:
            for event in events:
                row = recorder.write(event)
                if event.last and job.workspace.results.keys() & TRAINED:
                    save(run.path / NAME, _contents(spec, job))
                recorder.checkpoint(event, force=bool(asked))
                job.workspace.store.release(job.workspace.store.next_id if event.last else 0)
                if on_row:
                    on_row(row)
                if asked:
                    raise KeyboardInterrupt
    finally:
        recorder.close()
    run.set_status("done", "")
    return Run(spec, job, run.rows("eval"), run.path)


def load(path: str | Path) -> Model:
    """Load a trained model; nothing but its file is needed.

    Args:
        path: a model file, or a run directory, which holds one.

    Raises:
        MemupError: there is none, it is damaged, of another version, or lacks weights.
    """
    use_compilation_cache()
    return Model.open(path)


def reopen(run: str | Path | Run) -> Run:
    """Bring a finished run back whole, with its store and what its phases know.

    Raises:
        MemupError: it is no run directory, has not finished, or its checkpoint is damaged.
    """
    if isinstance(run, Run):
        return run
    directory = RunDir.open(run)
    spec = make_spec(directory.spec)
    checkpoint = directory.checkpoints / CHECKPOINT
    begun = about(checkpoint)
    check_memory_of(checkpoint, begun, spec)
    job = build(spec, None, directory.path / "store")
    finished = begun["phase"] >= len(job.phases) - 1
    require(finished, f"{run}: the run has not finished; train it on with the same command")
    kept, needed = job.workspace.store.next_id, begun["episodes"]
    require(
        kept >= needed or bool(spec["dataset"]),
        f"{directory.path / 'store'} has {kept} of {needed} episodes: a run is loaded with the "
        "episodes that it was trained on",
    )
    resume(job, begun, lambda like: load_tree(checkpoint, like))
    return Run(spec, job, directory.rows("eval"), directory.path)


def evaluate(
    run: str | Path | Run,
    *,
    env: str | None = None,
    task: str | None = None,
    dataset: str | Path | None = None,
    episodes: int = 256,
    seed: int = 1,
    on_row: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Evaluate a trained run: its agent on fresh episodes, or its predictor on sequences.

    Only the model file of a run directory is read, and its data set where it is judged on that.

    Args:
        run: a run, or its directory.
        env: another environment with the same spaces, for example a longer one.
        task: another task with the same spaces, for example a longer one.
        dataset: another data set with the same fields, all of which is asked about.
        episodes: how many, at most.
        seed: of the evaluation.
        on_row: called now and then with how far it is.

    Returns:
        What `memup eval --json` prints.

    Raises:
        MemupError: what was asked for does not fit the model, or there is none.
    """
    use_compilation_cache()
    asked = {"env": env, "task": task, "dataset": dataset}
    given = [name for name, value in asked.items() if value is not None]
    require(len(given) < 2, f"{' and '.join(given)}: expected one of env, task and dataset")
    trained = _trained(run)
    spec, held = trained.spec, trained.held
    if dataset is not None:
        where, row = str(dataset), _on_data(trained, dataset, episodes)
    elif spec["training"] != "supervised":
        require(task is None, f"task {task!r}: the run has an environment; expected env")
        there = trained.env(env)
        expected = held.about["episode_length"] if env is None else getattr(there, "length", 0)
        where = env or spec["env"]
        row = in_environment(held, there, where, episodes, seed, float(expected), on_row)
    elif spec["task"]:
        require(env is None, f"env {env!r}: the run is supervised; expected task or dataset")
        where = task or spec["task"]
        row = on_task(held, where, episodes, seed, on_row)
    else:
        require(env is None, f"env {env!r}: the run is supervised; expected dataset")
        require(task is None, f"task {task!r}: the run has a data set of its own; expected dataset")
        where, row = spec["dataset"], on_held_out(held, trained.data(), episodes)
    return {"run": trained.name, "env": where, "seed": seed, **row}


class _Trained(NamedTuple):
    """What is evaluated.

    Attributes:
        spec: of the run.
        held: its model.
        path: its directory, if there is one.
        workspace: of a run that is at hand.
    """

    spec: RunSpec
    held: Contents
    path: Path | None
    workspace: Workspace | None

    @property
    def name(self) -> str:
        """What the row calls it."""
        return str(self.path) if self.path else ""

    def env(self, name: str | None) -> Any:
        """Return the environment that is named, or the run's own."""
        if name is not None:
            return make_env(name, n=16)
        return own_env(self.spec) if self.workspace is None else self.workspace.env

    def data(self) -> EpisodeStore:
        """Return the data set that the run was trained on."""
        if self.workspace is not None:
            return self.workspace.store
        path = self.spec["dataset"]
        require(bool(path), f"{self.path} was trained on a store in memory; expected dataset=PATH")
        return EpisodeStore.open(path)

    def own(self, dataset: str | Path) -> bool:
        """Say whether a path is that of the run's own data."""
        paths = [self.spec["dataset"], self.path and self.path / "store"]
        return any(p and Path(p).resolve() == Path(dataset).resolve() for p in paths)


def _trained(run: str | Path | Run) -> _Trained:
    if isinstance(run, Run):
        return _Trained(run.spec, _contents(run.spec, run.job), run.path, run.job.workspace)
    directory = RunDir.open(run)
    path, held = directory.path, Model.open(directory.path).held
    return _Trained(make_spec(directory.spec), held, path, None)


def _on_data(trained: _Trained, dataset: str | Path, episodes: int) -> dict[str, Any]:
    """Judge on a data set; on the run's own one only by what was held out."""
    store = EpisodeStore.open(dataset)
    judge = on_held_out if trained.own(dataset) else on_stored
    return judge(trained.held, store, episodes)
