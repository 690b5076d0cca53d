"""Memory and policy trained side by side (the authors' "policy_and_memory").

A round: every copy of the environment plays one episode, and the policy learns from every stretch
of it; the episodes enter the store, oldest out; the detector and the memory learn from the store;
the policy's memory moves a little towards the learner's. The policy has then learned only from
what its own memory showed it, so its probability ratios are those of its policy.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.acting.recorder import EpisodeRecorder
from memup.acting.rounds import learn_round
from memup.agents.learner import move_memory
from memup.core.compiled import Compiled
from memup.core.tree import Params, carried_over, ravel
from memup.core.types import Metrics
from memup.phases.base import AbstractPhase, Workspace, check_finite
from memup.phases.detect import Detect
from memup.phases.measure import outcomes, widened
from memup.phases.memory import Memory
from memup.phases.plateau import Plateau
from memup.phases.policy import Policy


class Joint(AbstractPhase):
    """Alternates acting, learning to act and learning to remember.

    Args:
        detect: owner of the detector, trained before on random play.
        memory: owner of the memory's learner.
        policy: owner of the agent.
        updates: memory updates a round.
        slow: decay of the policy's copy of the memory, a round.
    """

    name = "joint"

    def __init__(self, detect: Detect, memory: Memory, policy: Policy, updates: int, slow: float):
        self.detect, self.memory, self.policy = detect, memory, policy
        self.updates, self.slow = updates, slow

    def prepare(self, workspace: Workspace) -> None:
        """Make learner and agent."""
        self.memory.prepare(workspace)
        self.policy.prepare(workspace)
        self._values = jax.jit(self.policy.agent.values)
        self._learn = Compiled(lambda s, t, k: self.policy.agent.learn(s, t, key=k))

    def start(self, workspace: Workspace) -> PyTree:
        """See AbstractPhase."""
        return {
            "agent": self.policy.agent.init(key=workspace.key(f"{self.name}/weights")),
            "detector": self.detect.detector.init(workspace.results["detector"]),
            "memory": self.memory.start(workspace),
            "round": np.array(0),
            "env_steps": np.array(0),
        }

    def advance(self, workspace: Workspace, state: PyTree) -> tuple[PyTree, Metrics, bool]:
        """Play and learn one round."""
        number = int(state["round"])
        losses: list[Any] = []

        def learn(agent: PyTree, trajectory: Any, key: Any) -> PyTree:
            agent, metrics = self._learn(agent, trajectory, key)
            losses.append(metrics)
            return agent

        key = workspace.key(self.name, number)
        valued = "value" in self.detect.target.needs
        env, actor = self.policy.env, self.policy.agent
        recorder = EpisodeRecorder(
            workspace.observation_space,
            workspace.action_space,
            env.stats(),
            workspace.store,
            valued,
        )
        agent = learn_round(
            env,
            actor,
            state["agent"],
            recorder,
            learn,
            self.policy.rollout,
            key=key,
            values=self._values if valued else None,
        )
        check_finite(losses[-1]["skipped_in_a_row"], self.name)
        ids = recorder.add_to_store()
        self.detect.target.prepare(workspace.store, ids)
        detector, memory = self._widen(workspace, state["detector"], state["memory"], ids)
        self.detect.score(workspace, _learned(detector), ids)
        train, _ = workspace.split_ids()
        detector, _ = self.detect.learn(workspace, detector, train, self.name, number)
        metrics: Metrics = {}
        for left in reversed(range(max(1, self.updates // self.memory.chunk))):
            memory, metrics = self.memory.learn(workspace, memory, ahead=left > 0)
        check_finite(metrics["skipped_in_a_row"], self.name)
        agent = self._follow(agent, memory["train"].model)
        steps = int(state["env_steps"]) + recorder.steps
        seen = recorder.stats.summary()
        out: Metrics = {
            "env_steps": steps,
            "stored_steps": workspace.store.steps,
            "progress": steps / max(self.policy.steps, 1),
            "return": seen.return_mean,
            "success_rate": seen.success_rate,
            "memory_loss": float(np.mean(np.asarray(metrics["loss"]))),
            "updates": int(memory["chunk"]) * self.memory.chunk,
            "compile_s": self._learn.seconds + self.memory._learn.seconds,
        }
        out |= {name: float(np.mean([m[name] for m in losses])) for name in losses[0]}
        state = {"agent": agent, "detector": detector, "memory": memory}
        state |= {"round": np.array(number + 1), "env_steps": np.array(steps)}
        return state, out, steps >= self.policy.steps or seen.all_success >= self.policy.enough

    def _widen(
        self, workspace: Workspace, detector: PyTree, memory: PyTree, ids: np.ndarray
    ) -> tuple[PyTree, PyTree]:
        """Make detector and predictor anew where outcomes came that they have no words for.

        What random play never showed would cost nothing to get wrong. All parameters whose shape
        stays are kept.
        """
        new = outcomes(workspace.store, self.detect.target, ids)
        facts = widened(workspace.facts, new, self.detect.target.family)
        if facts is None:
            return detector, memory
        models = {name: own.model for name, own in self.detect.detector.learners.items()}
        model = self.memory.learner.model
        workspace.facts |= facts
        self.detect.prepare(workspace)
        self.memory.prepare(workspace)
        learned = {
            name: carried_over(models[name](own.model), learner.model(learner.initial))
            for (name, own), learner in zip(
                detector.items(), self.detect.detector.learners.values(), strict=True
            )
        }
        workspace.results["detector"] = learned
        fresh = self.memory.learner.model(self.memory.params)
        train = memory["train"]
        now, slow = (carried_over(model(own), fresh) for own in (train.model, train.slow))
        begun = self.memory.learner.init(now, self.memory.batch_size)
        begun = begun._replace(slow=slow, carry=train.carry, updates=train.updates)
        memory = {**memory, "train": begun, "best": jnp.copy(now), "plateau": Plateau.start()}
        return self.detect.detector.init(learned), memory

    def _follow(self, agent: PyTree, model: Params) -> PyTree:
        """Move the policy's memory towards the learner's."""
        target = ravel(self.memory.learner.model(model).memory)
        return move_memory(agent, lambda now: self.slow * now + (1 - self.slow) * target)

    def results(self, state: PyTree) -> dict[str, PyTree]:
        """The agent, the learner's model and the detector."""
        return {
            "agent": state["agent"],
            "model": state["memory"]["train"].model,
            "detector": _learned(state["detector"]),
        }


def _learned(detector: PyTree) -> PyTree:
    return {name: own.model for name, own in detector.items()}
