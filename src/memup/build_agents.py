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
from memup.agents.merlin import Merlin, MerlinConfig
from memup.agents.merlin_decoder import Decoder, Returns
from memup.agents.merlin_mind import Foreseeing
from memup.agents.merlin_policy import ReadingPolicy
from memup.agents.merlin_predictor import Predictor
from memup.agents.ppo import PPO, PPOConfig
from memup.agents.r2d2 import R2D2, R2D2Config
from memup.build_parts import Parts
from memup.config import RunSpec
from memup.envs.base import AbstractEnv
from memup.memories.encoded import EncodedMemory
from memup.method.update import Model
from memup.nn.encoder import encode
from memup.nn.likelihood import from_description
from memup.phases.base import World
from memup.phases.settled import settled as find_settled
from memup.spaces import flatten, join
from memup.tree import Vector, initial, ravel, rebuilder
from memup.types import Context, Key, StepInput

Maker = Callable[[RunSpec, World, Parts], AbstractAgent]


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


def _on_memory(
    agent: Callable[..., AbstractAgent],
    config: Callable[..., Any],
    more: Callable[[RunSpec, World], dict[str, Any]] = lambda spec, world: {},
    **fixed: Any,
) -> Maker:
    """Return the maker of an agent on a memory, which it trains itself in end-to-end training.

    Args:
        agent: (vector, memory, actions, config, train_memory) -> agent.
        config: settings -> config.
        more: further arguments of `agent`.
        **fixed: settings that are no fields of this agent.
    """

    def make(spec: RunSpec, world: World, parts: Parts) -> AbstractAgent:
        vector, memory = _memory(world, parts)
        settings = config(**_settings(spec), **fixed)
        end_to_end = spec["training"] == "end-to-end"
        others = more(spec, world)
        return agent(vector, memory, world.actions, settings, train_memory=end_to_end, **others)

    return make


def _replayed(spec: RunSpec, world: World) -> dict[str, Any]:
    """Return what decides the shape of a replay."""
    leaves = {name: jnp.zeros(s.shape, s.dtype) for name, s in flatten(world.space).items()}
    zero, no = jnp.zeros(()), jnp.zeros((), bool)
    example = StepInput(join(world.space, leaves), jnp.zeros((), jnp.int32), zero, no)
    on_host = world.env is not None and not isinstance(world.env, AbstractEnv)
    return {"example": example, "actors": world.env.n if on_host else spec["agent.environments"]}


def _merlin(spec: RunSpec, world: World, parts: Parts) -> Merlin:
    options = spec.options("agent")
    sizes = {name: options.pop(name) for name in ("latent", "slots", "heads", "size", "hidden")}
    latent, hidden, decay = sizes["latent"], sizes["hidden"], options.pop("retroactive")
    space, actions = world.space, world.actions

    def foreseeing(key: Key) -> Foreseeing:
        keys = jax.random.split(key, 4)
        predictor = Predictor(parts.encoder(world, keys[0]), **sizes, decay=decay, key=keys[1])
        decoder = Decoder(space, actions, latent, hidden, key=keys[2])
        return Foreseeing(predictor, decoder, Returns(latent, actions, hidden, key=keys[3]))

    def policy(key: Key) -> ReadingPolicy:
        keys = jax.random.split(key)
        recurrent = parts.memory(3 * latent, keys[0])
        return ReadingPolicy(recurrent, latent, actions, hidden, key=keys[1])

    return Merlin(foreseeing, policy, MerlinConfig(**options))


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
    world: World, parts: Parts
) -> tuple[Vector | Callable[[Key], Vector], Callable[[Vector], EncodedMemory]]:
    """Return what an agent stands on: the memory that was trained before, or a new one."""
    make = partial(parts.encoded, world)
    if "model" in world.results:
        model = rebuilder(parts.model(world))(world.results["model"])
        return ravel(model.memory), rebuilder(make)
    return partial(initial, make), rebuilder(make)
