"""Names become objects here and nowhere else."""

from pathlib import Path

import jax
import numpy as np
import optax

from memup.agents.base import AbstractAgent
from memup.build.agents import Ground, make_agent
from memup.build.blueprint import Blueprint
from memup.build.parts import Parts, make_selector, make_target, memory_options
from memup.core.errors import require
from memup.core.spaces import Box, Dict, Discrete, Space, flatten, leaf_bytes, require_discrete
from memup.core.tree import Params, initial, rebuilder
from memup.core.types import Key
from memup.data.rarity import Rarity
from memup.data.store import EpisodeStore
from memup.envs.base import AbstractEnv
from memup.envs.table import make_env
from memup.memories.make import check_memory
from memup.method.detectors.local import LocalDetector
from memup.method.orders.jump import Jump
from memup.method.orders.walking import AbstractOrder, Sequential, Staggered
from memup.method.targets.outcomes import AbstractTarget
from memup.method.update import MemUP
from memup.method.windows import Windows
from memup.nn.distributions import Normal, from_description
from memup.phases.action_indifferent import action_indifferent
from memup.phases.base import AbstractPhase, Workspace
from memup.phases.collect import Collect
from memup.phases.detect import Detect
from memup.phases.evaluate import Evaluate, Explain
from memup.phases.fit import Job
from memup.phases.gain_model import GainModel
from memup.phases.generate_data import GenerateData
from memup.phases.joint import Joint
from memup.phases.memory import Memory
from memup.phases.no_training import NoTraining
from memup.phases.policy import Policy
from memup.specs.spec import RunSpec
from memup.tasks.table import make_task

HOST_ENVIRONMENTS = 16
# What old rows read between the windows of one chunk, at most: of images 400 steps are too many.
BETWEEN_BYTES = 1 << 30


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
        space, actions = _space_of(store)
        return Workspace(None, store, space, actions, spec["seed"], spec["method.query_length"])
    if env is None:
        require(bool(spec["env"]), "no environment: expected a preset or --env ID")
        # An agent that learns nothing acts in none of its own.
        copies = spec.get("agent.environments", HOST_ENVIRONMENTS)
        env = make_env(spec["env"], n=min(copies, HOST_ENVIRONMENTS))
    require_discrete(env.action_space, spec["env"] or type(env).__name__)
    limit = spec["joint.limit"] if spec["training"] == "joint" else None
    return Workspace(
        env,
        EpisodeStore(path, limit),
        env.observation_space,
        env.action_space,
        spec["seed"],
        spec["method.query_length"],
    )


def _space_of(store: EpisodeStore) -> tuple[Space, Space | None]:
    """Read the spaces off a store's fields: whole numbers without an axis are categories."""

    def leaf(name: str) -> Box | Discrete:
        dtype, shape = store.fields[name]
        if not shape and np.issubdtype(dtype, np.integer):
            return Discrete(_highest(store, name) + 1)
        return Box(tuple(shape), str(np.dtype(dtype)))

    names = [n for n in store.fields if n == "obs" or n.startswith("obs.")]
    require(bool(names), f"the store has no field 'obs'; it has {', '.join(store.fields)}")
    space: Space = (
        leaf("obs") if "obs" in names else Dict({n.removeprefix("obs."): leaf(n) for n in names})
    )
    played = {"action", "reward"} <= set(store.fields)
    return space, Discrete(_highest(store, "action") + 1) if played else None


def _highest(store: EpisodeStore, name: str) -> int:
    return max(int(np.max(store.episode(int(i))[name])) for i in store.ids)


class Builder:
    """Makes the parts of a run from its spec."""

    def __init__(self, spec: RunSpec):
        self.spec = spec

    def phases(self) -> list[AbstractPhase]:
        """Return what the training named in the spec consists of."""
        spec = self.spec
        training, label = spec["training"], self.label()
        if training == "end-to-end":
            policy = self._policy()
            return [policy, Evaluate(spec["evaluate.episodes"], policy, label)]
        detect, memory, policy = self._detect(), self._memory(), self._policy()
        if training == "supervised":
            judged = Evaluate(spec["evaluate.episodes"], memory, label)
            learn = [detect, memory, judged, Explain(detect, memory)]
            return [GenerateData(spec["collect.episodes"]), *learn] if spec["task"] else learn
        valued = spec["method.target"] == "q-value"
        collect = Collect(spec["collect.episodes"], spec["collect.environments"], valued)
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
        # What random play holds are rewards: few values, which says nothing of the agent's.
        family = "normal" if spec["method.target"] == "q-value" else spec["method.likelihood"]
        return Detect(
            self.detector,
            self.target,
            family,
            spec["method.detector"],
            spec["detect.updates"],
            spec["detect.batch"],
            spec["method.targets"],
        )

    def _memory(self) -> Memory:
        spec = self.spec
        return Memory(
            self.learner,
            self.windows,
            self.order,
            spec["method.batch_size"],
            spec["method.updates"],
            spec["method.updates_per_call"],
            spec["method.patience"],
            spec["method.detector"] == "surprise",
            self.gain_model if "information-gain" in spec["method.selector"].split("+") else None,
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

    def detector(self, workspace: Workspace, key: Key) -> tuple[LocalDetector, Params]:
        """Make the memory-less model of the outcomes."""
        likelihood = from_description(workspace.facts["local_likelihood"])
        make = self.parts(workspace).local_model(likelihood)
        detector = LocalDetector.of(rebuilder(make), self.spec["detect.learning_rate"])
        return detector, initial(make, key)

    def gain_model(self, workspace: Workspace) -> GainModel:
        """Make what learns the loss to expect at a step."""
        make = self.parts(workspace).local_model(Normal((0.0,), (1.0,)))
        learner = LocalDetector.of(rebuilder(make), self.spec["detect.learning_rate"])
        return GainModel(learner, initial(make, workspace.key("gain-model/weights")))

    def learner(self, workspace: Workspace, key: Key) -> tuple[MemUP, Params]:
        """Make memory, predictor and what trains them."""
        spec, make = self.spec, self.parts(workspace).model()
        noisy = spec["method.dropout"] or spec["method.state_reset_prob"]
        learner = MemUP.of(
            rebuilder(make),
            self._rate(),
            spec["method.clip_norm"],
            spec["method.ema"],
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
        fields = tuple(flatten(workspace.observation_space))
        name = self.spec["method.target"]
        gamma = self.spec["agent.gamma" if name == "q-value" else "method.gamma"]
        return make_target(name, gamma, fields)

    def order(self, workspace: Workspace) -> AbstractOrder:
        """Make what decides which windows rows see."""
        name, window = self.spec["method.order"], self.spec["method.window"]
        if name == "auto":
            # A fact, so that a run that goes on with a longer store keeps its order.
            name = workspace.facts.setdefault("order", self._suitable_order(workspace))
        if name == "jump":
            rare = Rarity(workspace.store, workspace.facts["rarity"], self.spec["method.rare"])
            ages = (
                *(self.spec[f"method.{n}"] for n in ("long_rows", "long_segments")),
                self._between(workspace),
            )
            after = int(self.spec["method.long_after"] * self.spec["method.updates"]) * window
            visits, piece = self.spec["method.segments"], self.spec["method.segment_length"]
            return Jump(window, visits, rare, *ages, after, piece)
        return {"sequential": Sequential, "staggered": Staggered}[name]()

    def _suitable_order(self, workspace: Workspace) -> str:
        """Jump where episodes are long enough for it to skip something, as all of them must be."""
        lengths, window = workspace.store.lengths(), self.spec["method.window"]
        visited = self.spec["method.segments"] * (self.spec["method.segment_length"] or window)
        long = lengths.mean() > visited and lengths.min() >= window
        return "jump" if long and self.spec["training"] != "joint" else "staggered"

    def windows(self, workspace: Workspace) -> Windows:
        """Make what gathers windows."""
        spec = self.spec
        return Windows(
            workspace.store,
            make_selector(
                spec["method.selector"], spec["method.targets"], spec["method.temperature"]
            ),
            self.target(workspace),
            workspace.observation_space,
            workspace.action_space,
            spec["method.window"],
            spec["method.query_stride"],
            workspace.context,
            between=self._between(workspace),
            old=spec["method.long_rows"],
        )

    def _between(self, workspace: Workspace) -> int:
        """Return how many steps an old row reads between windows: those of a chunk must fit."""
        spec, step = self.spec, leaf_bytes(workspace.observation_space)
        rows = max(1, round(spec["method.long_rows"] * spec["method.batch_size"]))
        windows = rows * spec["method.updates_per_call"]
        return min(spec["method.burn_in"], BETWEEN_BYTES // (windows * step))

    def blueprint(self, workspace: Workspace) -> Blueprint:
        """Return what the run's networks are put together from."""
        spaces = workspace.observation_space, workspace.action_space
        return Blueprint(self.spec, *spaces, workspace.context, workspace.facts)

    def parts(self, workspace: Workspace) -> Parts:
        """Return what makes the run's networks."""
        return Parts(self.blueprint(workspace))

    def agent(self, workspace: Workspace) -> AbstractAgent:
        """Make the agent on what earlier phases left, or on a new memory."""
        on_host = workspace.env is not None and not isinstance(workspace.env, AbstractEnv)
        actors = workspace.env.n if on_host else self.spec.get("agent.environments", 0)
        model = workspace.results.get("model")
        if self.spec["agent"] == "greedy" and "action_indifferent" not in workspace.facts:
            workspace.facts["action_indifferent"] = self._action_indifferent(workspace)
        return make_agent(Ground(self.blueprint(workspace), model, actors))

    def _action_indifferent(self, workspace: Workspace) -> list[list[float]]:
        """Return the observations where every action brings the same."""
        likelihood = from_description(workspace.facts["local_likelihood"])
        make = rebuilder(self.parts(workspace).local_model(likelihood))
        return action_indifferent(workspace, make(workspace.results["detector"])).tolist()
