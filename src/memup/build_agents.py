"""How a run's agent is made: one maker for each name of `memup list agents`."""

from collections.abc import Callable
from functools import partial

import jax.numpy as jnp
from jaxtyping import Array, PyTree

from memup.agents.base import AbstractAgent
from memup.agents.greedy import Greedy
from memup.agents.ppo import PPO, PPOConfig
from memup.build_parts import Parts
from memup.config import RunSpec
from memup.memories.encoded import EncodedMemory
from memup.method.update import Model
from memup.nn.encoder import encode
from memup.nn.likelihood import from_description
from memup.phases.base import World
from memup.phases.settled import settled as find_settled
from memup.tree import Vector, initial, ravel, rebuilder
from memup.types import Context


def _greedy(spec: RunSpec, world: World, parts: Parts) -> Greedy:
    def expect(model: Model, m: Array, obs: PyTree, action: Array) -> Array:
        params = model.predictor(m, Context(obs, action))
        return model.likelihood.mean(params)[0]

    if "settled" not in world.facts:
        likelihood = from_description(world.facts["local_likelihood"])
        local = rebuilder(parts.local_model(world, likelihood))(world.results["detector"])
        world.facts["settled"] = find_settled(world, local).tolist()
    known = jnp.asarray(world.facts["settled"])

    def settled(obs: PyTree) -> Array:
        return (known == encode(world.space, obs)).all(axis=-1).any()

    return Greedy(
        world.results["model"],
        rebuilder(parts.model(world)),
        expect,
        world.actions,
        spec["agent.tie"],
        settled if known.size else None,
    )


def _ppo(spec: RunSpec, world: World, parts: Parts) -> PPO:
    vector, memory = _memory(world, parts)
    config = PPOConfig(**_settings(spec))
    end_to_end = spec["training"] == "end-to-end"
    return PPO(vector, memory, world.actions, config, train_memory=end_to_end)


AGENT_MAKERS: dict[str, Callable[[RunSpec, World, Parts], AbstractAgent]] = {
    "ppo": _ppo,
    "greedy": _greedy,
}


def _settings(spec: RunSpec) -> dict[str, object]:
    """Return the agent's own fields, with the sizes of two hidden layers."""
    options = spec.options("agent")
    return {**options, "hidden": (options["hidden"],) * 2}


def _memory(world: World, parts: Parts) -> tuple[Vector, Callable[[Vector], EncodedMemory]]:
    """Return what an agent stands on: the memory that was trained before, or a new one."""
    make = partial(parts.encoded, world)
    if "model" in world.results:
        vector = ravel(rebuilder(parts.model(world))(world.results["model"]).memory)
    else:
        vector = initial(make, world.key("memory"))
    return vector, rebuilder(make)
