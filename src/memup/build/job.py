"""Names become objects here and nowhere else."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import optax

from memup.acting.make import vector_env
from memup.agents.base import AbstractAgent
from memup.build.agents import Ground, make_agent
from memup.build.blueprint import Blueprint
from memup.build.parts import Parts, memory_options
from memup.core.errors import require
from memup.core.spaces import leaf_bytes
from memup.core.tree import Params, initial, rebuilder
from memup.core.types import Key
from memup.data.infer import infer_spaces
from memup.data.rarity import Rarity
from memup.data.store import EpisodeStore
from memup.envs.base import AbstractEnv
from memup.envs.table import make_env
from memup.memories.make import check_memory
from memup.method.detectors.base import AbstractDetector, DetectorParts
from memup.method.detectors.table import DETECTORS
from memup.method.distance import CODES
from memup.method.local import LocalLearner
from memup.method.orders.base import AbstractOrder, OrderParts
from memup.method.orders.table import ORDERS
from memup.method.predictor import LocalPredictor
from memup.method.selectors.base import AbstractSelector, SelectorParts
from memup.method.selectors.make import make_selector
from memup.method.targets.base import AbstractTarget
from memup.method.update import MemUP
from memup.method.windows import Windows
from memup.nn.distributions import from_description
from memup.phases.action_indifferent import action_indifferent
from memup.phases.base import AbstractPhase, Workspace
from memup.phases.collect import Collect
from memup.phases.detect import Detect
from memup.phases.draw import context
from memup.phases.evaluate import Evaluate, Explain
from memup.phases.fit import Job
from memup.phases.generate_data import GenerateData
from memup.phases.joint import Joint
from memup.phases.memory import Memory
from memup.phases.no_training import NoTraining
from memup.phases.policy import Policy
from memup.specs.spec import RunSpec
from memup.tasks.table import make_task

# Copies of a host environment where no agent says how many it learns in.
HOST_ENVIRONMENTS = 16
# Stored where nobody says how many: so many episodes, but less than 1 GB, the last round included.
EPISODES, STORE_BYTES = 2000, 9 * 10**8
# Of memory and predictor: the largest norm of their gradient, the decay of their slow copy.
CLIP_NORM, EMA = 1.0, 0.995
# Of the detector: Adam's learning rate, and steps in an update.
DETECTOR_RATE, DETECTOR_BATCH = 1e-3, 2048
# What long rows read between the windows of one chunk, at most: of images 400 steps are too many.
BURN_IN_BYTES = 1 << 30


def build(
    spec: RunSpec,
    store: EpisodeStore | None = None,
    path: Path | None = None,
    env: AbstractEnv | None = None,
) -> Job:
    """Make the phases of a run and their workspace.

    Args:
        spec: the run.
        store: episodes to learn from, for supervised training.
        path: where collected episodes are kept, so that a run can be resumed; None: in memory.
        env: an environment of one's own, instead of the one that the spec names.

    Returns:
        What `fit` takes.
    """
    check_memory(spec["memory"], memory_options(spec))
    workspace = _workspace(spec, store, path, env)
    return Job(Builder(spec).phases(), workspace)


def _workspace(
    spec: RunSpec, store: EpisodeStore | None, path: Path | None, env: AbstractEnv | None
) -> Workspace:
    if spec["task"]:
        task, context = make_task(spec["task"]), spec["method.query_length"]
        return Workspace(None, EpisodeStore(path), task.space, None, spec["seed"], context, task)
    if spec["training"] == "supervised":
        if store is None:
            require(
                bool(spec["dataset"]),
                "training='supervised': expected a task, dataset=PATH or a store",
            )
            store = EpisodeStore.open(spec["dataset"])
        require(len(store) > 0, "the store is empty: expected at least one episode")
        space, actions = infer_spaces(store)
        return Workspace(None, store, space, actions, spec["seed"], spec["method.query_length"])
    if env is None:
        env = own_env(spec)
    limit = spec["joint.limit"] if spec["training"] == "joint" else None
    return Workspace(
        env,
        EpisodeStore(path, limit),
        env.observation_space,
        env.action_space,
        spec["seed"],
        spec["method.query_length"],
    )


def own_env(spec: RunSpec) -> Any:
    """Make the environment that a run names.

    Raises:
        MemupError: it names none.
    """
    require(bool(spec["env"]), "no environment: expected a preset or --env ID")
    # An agent that learns nothing acts in none of its own.
    copies = spec.get("agent.environments", HOST_ENVIRONMENTS)
    return make_env(spec["env"], n=min(copies, HOST_ENVIRONMENTS))


class Builder:
    """Makes the parts of a run from its spec."""

    def __init__(self, spec: RunSpec):
        self.spec = spec
        self.detect = self._detect()

    def phases(self) -> list[AbstractPhase]:
        """Return what the training named in the spec consists of."""
        spec = self.spec
        training, label = spec["training"], self.label()
        if training == "end-to-end":
            policy = self._policy()
            return [policy, Evaluate(spec["evaluate.episodes"], policy, label)]
        detect, policy = self.detect, self._policy()
        memory = self._memory(detect)
        if training == "supervised":
            judged = Evaluate(spec["evaluate.episodes"], memory, label)
            learn = [detect, memory, judged, Explain(detect, memory)]
            sequences = spec["collect.episodes"] or EPISODES
            return [GenerateData(sequences), *learn] if spec["task"] else learn
        valued = spec["method.target"] == "q-value"
        asked = spec["collect.episodes"]
        room = None if asked else STORE_BYTES
        collect = Collect(asked or EPISODES, spec["collect.environments"], room, valued)
        evaluate = Evaluate(spec["evaluate.episodes"], policy, label)
        explain = Explain(detect, memory)
        if training == "joint":
            joint = Joint(detect, memory, policy, spec["joint.updates"], spec["joint.polyak"])
            return [collect, detect, joint, evaluate, explain]
        return [collect, detect, memory, policy, evaluate, explain]

    def label(self) -> str:
        """What tables call the run."""
        spec, memory = self.spec, self.spec["memory"]
        if memory == "none":
            return "no memory"
        if spec["training"] == "end-to-end":
            return f"{spec['agent']} with {memory}, back-propagation through the rollout"
        if spec["method.selector"] == "current":
            return f"{memory}, truncated BPTT, r={spec['method.window']}"
        return f"MemUP ({memory}, r={spec['method.window']})"

    def _detect(self) -> Detect:
        spec = self.spec
        return Detect(
            self.detector,
            self.target,
            spec["detect.updates"],
            DETECTOR_BATCH,
        )

    def _memory(self, detect: Detect) -> Memory:
        spec = self.spec
        return Memory(
            detect,
            self.learner,
            self.windows,
            self.order,
            spec["method.batch_size"],
            spec["method.updates"],
            spec["method.updates_per_call"],
            spec["method.patience"],
        )

    def _policy(self) -> Policy | NoTraining:
        spec = self.spec
        if spec["agent"] == "greedy":
            return NoTraining(self.agent)
        return Policy(
            self.agent,
            spec["agent.steps"],
            spec["agent.environments"],
            spec["agent.rollout"],
            spec["agent.stop_at_success"],
        )

    def detector(self, workspace: Workspace) -> AbstractDetector:
        """Make what finds uncertain steps."""
        parts = DetectorParts(
            self._local(workspace, "likelihood"),
            lambda: self._local(workspace, "quantile"),
            self.spec["method.targets"],
        )
        made: AbstractDetector = DETECTORS[self.spec["method.detector"]].make(
            parts, self.spec.options("method.detector")
        )
        return made

    def _local(self, workspace: Workspace, fact: str) -> LocalLearner:
        """Make a memory-less learner of the outcomes, of a family that was measured."""
        make = self.parts(workspace).local_model(from_description(workspace.facts[fact]))
        key = workspace.key(f"detect/{fact}")
        return LocalLearner.of(make, DETECTOR_RATE, key=key)

    def gain_learner(
        self, workspace: Workspace, model: Callable[[LocalPredictor], Any]
    ) -> LocalLearner:
        """Make the learner of a memory-less number for each code of the distance."""
        predictor = self.parts(workspace).local_predictor(CODES)
        key = workspace.key("gain-model/weights")
        return LocalLearner.of(lambda key: model(predictor(key)), DETECTOR_RATE, key=key)

    def learner(self, workspace: Workspace, key: Key) -> tuple[MemUP, Params]:
        """Make memory, predictor and what trains them."""
        spec, make = self.spec, self.parts(workspace).model()
        noisy = spec["encoder.dropout"] or spec["method.state_reset_prob"]
        learner = MemUP.of(
            rebuilder(make),
            self._rate(),
            CLIP_NORM,
            EMA,
            jax.random.fold_in(key, 1) if noisy else None,
            spec["method.state_reset_prob"],
        )
        return learner, initial(make, key)

    def _rate(self) -> float | optax.Schedule:
        """Return the learning rate, or how it is held for half of the updates, then falls."""
        rate, share = self.spec["method.learning_rate"], self.spec["method.final_lr_fraction"]
        if share == 1:
            return rate
        # Each bit is found suddenly, and none once the rate is low.
        held = self.spec["method.updates"] // 2
        falls = self.spec["method.updates"] - held
        return optax.linear_schedule(rate, share * rate, falls, transition_begin=held)

    def target(self, workspace: Workspace) -> AbstractTarget:
        """Make what is predicted."""
        return self.parts(workspace).target()

    def order(self, workspace: Workspace) -> AbstractOrder:
        """Make what decides which windows rows see."""
        spec = self.spec
        parts = OrderParts(
            spec["method.window"],
            spec["method.updates"],
            self._room(workspace),
            lambda kept: Rarity(workspace.store, workspace.facts["rarity"], kept),
            workspace.store.lengths,
            spec["training"] == "joint",
            workspace.facts,
        )
        made: AbstractOrder = ORDERS[spec["method.order"]].make(
            parts, self.spec.options("method.order")
        )
        return made

    def windows(self, workspace: Workspace, order: AbstractOrder) -> Windows:
        """Make what gathers windows."""
        spec = self.spec
        return Windows(
            workspace.store,
            self.selector(workspace),
            self.target(workspace),
            workspace.observation_space,
            workspace.action_space,
            spec["method.window"],
            spec["method.query_stride"],
            workspace.context,
            burn_in=order.burn_in,
            long_rows=order.long_rows,
        )

    def selector(self, workspace: Workspace) -> AbstractSelector:
        """Make what chooses targets."""
        store = workspace.store
        parts = SelectorParts(
            self.spec["method.targets"],
            partial(self.gain_learner, workspace),
            lambda ids, steps: context(workspace, store.global_rows(ids, steps)),
            partial(self.detect.without_memory, workspace),
        )
        return make_selector(
            self.spec["method.selector"], parts, self.spec.options("method.selector")
        )

    def _room(self, workspace: Workspace) -> int:
        """Return how many steps a long row may read between windows: those of a chunk must fit."""
        spec, step = self.spec, leaf_bytes(workspace.observation_space)
        rows = max(1, round(spec.get("method.order.long_rows", 0.0) * spec["method.batch_size"]))
        windows = rows * spec["method.updates_per_call"]
        return BURN_IN_BYTES // (windows * step)

    def blueprint(self, workspace: Workspace) -> Blueprint:
        """Return what the run's networks are put together from."""
        spaces = workspace.observation_space, workspace.action_space
        return Blueprint(self.spec, *spaces, workspace.context, workspace.facts)

    def parts(self, workspace: Workspace) -> Parts:
        """Return what makes the run's networks."""
        return Parts(self.blueprint(workspace))

    def agent(self, workspace: Workspace) -> AbstractAgent:
        """Make the agent on what earlier phases left, or on a new memory."""
        asked = self.spec.get("agent.environments", 0)
        actors = asked if workspace.env is None else vector_env(workspace.env, asked).n
        model = workspace.results.get("model")
        if self.spec["agent"] == "greedy" and "action_indifferent" not in workspace.facts:
            workspace.facts["action_indifferent"] = self._action_indifferent(workspace)
        return make_agent(Ground(self.blueprint(workspace), model, actors))

    def _action_indifferent(self, workspace: Workspace) -> list[list[float]]:
        """Return the observations where every action brings the same."""
        likelihood = from_description(workspace.facts["likelihood"])
        make = rebuilder(self.parts(workspace).local_model(likelihood))
        return action_indifferent(
            workspace, make(workspace.results["detector"]["baseline"])
        ).tolist()
