"""How a run's agent is made: one maker for each name of `memup list agents`."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, PyTree

from memup.agents.base import AbstractAgent
from memup.agents.greedy import Greedy
from memup.agents.impala import IMPALA, IMPALAConfig
from memup.agents.merlin.agent import Merlin, MerlinConfig
from memup.agents.merlin.decoder import Decoder, Returns
from memup.agents.merlin.policy import ReadingPolicy
from memup.agents.merlin.predictor import Predictor
from memup.agents.merlin.step import WorldModel
from memup.agents.ppo import PPO, PPOConfig
from memup.agents.r2d2 import R2D2, R2D2Config
from memup.build.parts import Parts
from memup.core.spaces import flatten, join
from memup.core.tree import Params, initial, ravel, rebuilder
from memup.core.types import Key, Query, StepInput
from memup.envs.base import AbstractEnv
from memup.memories.encoded import EncodedMemory
from memup.method.update import Model
from memup.nn.encoder import encode
from memup.nn.likelihood import from_description
from memup.phases.action_indifferent import action_indifferent as find_action_indifferent
from memup.phases.base import Workspace
from memup.specs.spec import RunSpec

Maker = Callable[[RunSpec, Workspace, Parts], AbstractAgent]


def _greedy(spec: RunSpec, workspace: Workspace, parts: Parts) -> Greedy:
    def expect(model: Model, m: Array, obs: PyTree, action: Array) -> Array:
        params = model.predictor(m, Query(obs, action))
        return model.likelihood.mean(params)[0]

    if "action_indifferent" not in workspace.facts:
        likelihood = from_description(workspace.facts["local_likelihood"])
        local = rebuilder(parts.local_model(workspace, likelihood))(workspace.results["detector"])
        workspace.facts["action_indifferent"] = find_action_indifferent(workspace, local).tolist()
    known = jnp.asarray(workspace.facts["action_indifferent"])

    def action_indifferent(obs: PyTree) -> Array:
        return (known == encode(workspace.space, obs)).all(axis=-1).any()

    return Greedy(
        workspace.results["model"],
        rebuilder(parts.model(workspace)),
        expect,
        workspace.actions,
        spec["agent.tie"],
        action_indifferent if known.size else None,
    )


def _on_memory(
    agent: Callable[..., AbstractAgent],
    config: Callable[..., Any],
    more: Callable[[RunSpec, Workspace], dict[str, Any]] = lambda spec, workspace: {},
    **fixed: Any,
) -> Maker:
    """Return the maker of an agent on a memory, which it trains itself in end-to-end training.

    Args:
        agent: (vector, memory, actions, config, train_memory) -> agent.
        config: settings -> config.
        more: further arguments of `agent`.
        **fixed: settings that are no fields of this agent.
    """

    def make(spec: RunSpec, workspace: Workspace, parts: Parts) -> AbstractAgent:
        vector, memory = _memory(workspace, parts)
        settings = config(**_settings(spec), **fixed)
        end_to_end = spec["training"] == "end-to-end"
        others = more(spec, workspace)
        return agent(vector, memory, workspace.actions, settings, train_memory=end_to_end, **others)

    return make


def _replayed(spec: RunSpec, workspace: Workspace) -> dict[str, Any]:
    """Return what decides the shape of a replay."""
    leaves = {name: jnp.zeros(s.shape, s.dtype) for name, s in flatten(workspace.space).items()}
    zero, no = jnp.zeros(()), jnp.zeros((), bool)
    example = StepInput(join(workspace.space, leaves), jnp.zeros((), jnp.int32), zero, no)
    on_host = workspace.env is not None and not isinstance(workspace.env, AbstractEnv)
    return {
        "example": example,
        "actors": workspace.env.n if on_host else spec["agent.environments"],
    }


def _merlin(spec: RunSpec, workspace: Workspace, parts: Parts) -> Merlin:
    options = spec.options("agent")
    sizes = {name: options.pop(name) for name in ("latent", "slots", "heads", "size", "hidden")}
    latent, hidden, decay = sizes["latent"], sizes["hidden"], options.pop("retroactive")
    space, actions = workspace.space, workspace.actions

    def world_model(key: Key) -> WorldModel:
        keys = jax.random.split(key, 4)
        predictor = Predictor(parts.encoder(workspace, keys[0]), **sizes, decay=decay, key=keys[1])
        decoder = Decoder(space, actions, latent, hidden, key=keys[2])
        return WorldModel(predictor, decoder, Returns(latent, actions, hidden, key=keys[3]))

    def policy(key: Key) -> ReadingPolicy:
        keys = jax.random.split(key)
        recurrent = parts.memory(3 * latent, keys[0])
        return ReadingPolicy(recurrent, latent, actions, hidden, key=keys[1])

    return Merlin(world_model, policy, MerlinConfig(**options))


AGENT_MAKERS: dict[str, Maker] = {
    "ppo": _on_memory(PPO, PPOConfig),
    # With one pass over a whole rollout all ratios are 1: what is left of PPO is A2C.
    "a2c": _on_memory(PPO, PPOConfig, epochs=1, minibatches=1),
    "impala": _on_memory(IMPALA, IMPALAConfig),
    "impala-st": _on_memory(IMPALA, IMPALAConfig),
    "r2d2": _on_memory(R2D2, R2D2Config, _replayed),
    "merlin": _merlin,
    "greedy": _greedy,
}


def _settings(spec: RunSpec) -> dict[str, Any]:
    """Return the agent's own fields, with the sizes of two hidden layers."""
    options = spec.options("agent")
    return {**options, "hidden": (options["hidden"],) * 2}


def _memory(
    workspace: Workspace, parts: Parts
) -> tuple[Params | Callable[[Key], Params], Callable[[Params], EncodedMemory]]:
    """Return what an agent stands on: the memory that was trained before, or a new one."""
    make = partial(parts.encoded, workspace)
    if "model" in workspace.results:
        model = rebuilder(parts.model(workspace))(workspace.results["model"])
        return ravel(model.memory), rebuilder(make)
    return partial(initial, make), rebuilder(make)
