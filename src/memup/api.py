"""What Python users call: train, load, evaluate."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jax

from memup.build.job import Builder, build
from memup.core.errors import require
from memup.data.store import EpisodeStore
from memup.envs.base import AbstractEnv
from memup.envs.table import make_env
from memup.evaluation.agent import Evaluation
from memup.evaluation.model import evaluate_model
from memup.evaluation.task import evaluate_task
from memup.models.file import NAME, Contents, contents, save
from memup.models.model import Model
from memup.phases.fit import Job, fit, resume
from memup.runs.checkpoint import about, load as load_tree
from memup.runs.recording import CHECKPOINT, Recorder, check_memory_of, polite_interrupt
from memup.runs.rundir import RunDir
from memup.specs.spec import RunSpec, make_spec
from memup.tasks.table import make_task

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
    about = {"source": source, "episode_length": workspace.store.mean_length}
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
    episodes: int = 256,
    seed: int = 1,
    on_row: Callable[[dict[str, Any]], None] | None = None,
) -> dict[str, Any]:
    """Evaluate a trained run on fresh episodes.

    Args:
        run: a run, or its directory.
        env: another environment with the same spaces, for example a longer one.
        task: another task with the same spaces, for example a longer one.
        episodes: how many.
        seed: of the evaluation.
        on_row: called now and then with how far it is.

    Returns:
        What `memup eval --json` prints.
    """
    use_compilation_cache()
    run = reopen(run)
    workspace, spec = run.job.workspace, run.spec
    name = str(run.path) if run.path else ""
    if spec["training"] == "supervised":
        asked, row = _ask(run, env, task, episodes, seed, on_row)
        return {"run": name, "env": asked, "seed": seed, **row}
    require(task is None, f"task {task!r}: the run has an environment; expected --env")
    where = workspace.env if env is None else make_env(env, n=16)
    require(
        where.observation_space == workspace.observation_space
        and where.action_space == workspace.action_space,
        f"env {env!r}: its spaces differ from those of {spec['env']!r}, the run's own",
    )
    trained: Any = next(p for p in run.job.phases if p.name == "evaluate")
    expected = workspace.store.mean_length if env is None else float(getattr(where, "length", 0))
    evaluation = Evaluation(trained.trained.agent, where, episodes, seed, expected)
    try:
        row = evaluation.run(workspace.results["agent"], on_row)
    finally:
        evaluation.env.close()
    return {"run": name, "env": env or spec["env"], "seed": seed, **row}


def _ask(
    run: Run,
    env: str | None,
    task: str | None,
    episodes: int,
    seed: int,
    on_row: Callable[[dict[str, Any]], None] | None,
) -> tuple[str, dict[str, Any]]:
    """Evaluate a supervised run; return on what, and the row."""
    workspace, spec = run.job.workspace, run.spec
    require(env is None, f"env {env!r}: the run is supervised; expected --task")
    memory: Any = next(p for p in run.job.phases if p.name == "memory")
    if not spec["task"]:
        require(task is None, f"task {task!r}: the run has a data set of its own")
        return spec["dataset"], evaluate_model(memory.learner, workspace, memory.windows, episodes)
    asked = task or spec["task"]
    made = make_task(asked)
    require(
        made.space == workspace.observation_space,
        f"task {asked!r}: its observations differ from those of {spec['task']!r}, the run's own",
    )
    model = workspace.results["model"]
    return asked, evaluate_task(
        memory.learner, model, made, workspace.context, episodes, seed, on_row
    )
