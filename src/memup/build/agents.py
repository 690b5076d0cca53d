"""How a run's agent is made: one maker for each name of `memup list agents`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, PyTree

from memup.agents.base import AbstractAgent
from memup.agents.configs import A2CConfig
from memup.agents.greedy import Greedy
from memup.agents.impala import IMPALA
from memup.agents.merlin.agent import Merlin
from memup.agents.merlin.decoder import Decoder, Returns
from memup.agents.merlin.policy import ReadingPolicy
from memup.agents.merlin.predictor import Predictor
from memup.agents.merlin.step import WorldModel
from memup.agents.ppo import PPO
from memup.agents.r2d2 import R2D2
from memup.build.blueprint import Blueprint
from memup.build.parts import Parts
from memup.core.errors import require
from memup.core.spaces import Space, zeros
from memup.core.tree import Params, initial, ravel, rebuilder
from memup.core.types import Key, Query, StepInput
from memup.memories.encoded import EncodedMemory
from memup.method.update import Model
from memup.nn.distributions import distribution_of
from memup.nn.encoders import numbers
from memup.specs.spec import RunSpec

Maker = Callable[["Ground"], AbstractAgent]


@dataclass(frozen=True)
class Ground:
    """What an agent is made on.

    Attributes:
        blueprint: what its networks are put together from.
        model: parameters of the model that was trained before, if one was.
        actors: environments that it learns from; one that only acts has none.
    """

    blueprint: Blueprint
    model: Params | None = None
    actors: int = 0

    @property
    def parts(self) -> Parts:
        """What makes the networks."""
        return Parts(self.blueprint)

    @property
    def spec(self) -> RunSpec:
        """The options."""
        return self.blueprint.spec

    def memory(
        self,
    ) -> tuple[Params | Callable[[Key], Params], Callable[[Params], EncodedMemory]]:
        """Return what an agent stands on: the memory that was trained before, or a new one."""
        make = self.parts.encoded
        if self.model is None:
            return partial(initial, make), rebuilder(make)
        model = rebuilder(self.parts.model())(self.model)
        return ravel(model.memory), rebuilder(make)


def _greedy(ground: Ground) -> Greedy:
    def expect(model: Model, m: Array, obs: PyTree, action: Array) -> Array:
        params = model.predictor(m, Query(obs, action))
        return model.likelihood.mean(params)[0]

    blueprint = ground.blueprint
    known = jnp.asarray(blueprint.facts["action_indifferent"])

    def action_indifferent(obs: PyTree) -> Array:
        return (known == numbers(blueprint.observation_space, obs)).all(axis=-1).any()

    return Greedy(
        ground.model,
        rebuilder(ground.parts.model()),
        expect,
        _actions(ground),
        ground.spec["agent.tie"],
        action_indifferent if known.size else None,
    )


def _on_memory(
    agent: Callable[..., AbstractAgent],
    settings: Callable[[Any], Any] = lambda config: config,
    more: Callable[[Ground], dict[str, Any]] = lambda ground: {},
) -> Maker:
    """Return the maker of an agent on a memory, which it trains itself in end-to-end training.

    Args:
        agent: (params, memory, action space, config, train_memory) -> agent.
        settings: the run's options of the agent -> config.
        more: further arguments of `agent`.
    """

    def make(ground: Ground) -> AbstractAgent:
        params, memory = ground.memory()
        config = settings(ground.spec.config("agent"))
        end_to_end = ground.spec["training"] == "end-to-end"
        actions, others = _actions(ground), more(ground)
        return agent(params, memory, actions, config, train_memory=end_to_end, **others)

    return make


def _replayed(ground: Ground) -> dict[str, Any]:
    """Return what decides the shape of a replay."""
    blueprint = ground.blueprint
    obs, action = zeros(blueprint.observation_space), zeros(blueprint.action_space)
    leaves = (obs, action, np.zeros((), np.float32), np.zeros((), bool))
    example = StepInput(*jax.tree.map(jnp.asarray, leaves))
    return {"example": example, "actors": ground.actors}


def _merlin(ground: Ground) -> Merlin:
    config, parts = ground.spec.config("agent"), ground.parts
    sizes = {name: getattr(config, name) for name in ("latent", "slots", "heads", "size", "hidden")}
    latent, hidden, decay = config.latent, config.hidden, config.retroactive
    space, actions = ground.blueprint.observation_space, _actions(ground)

    def world_model(key: Key) -> WorldModel:
        keys = jax.random.split(key, 4)
        predictor = Predictor(parts.encoder(keys[0]), **sizes, decay=decay, key=keys[1])
        decoder = Decoder(space, actions, latent, hidden, key=keys[2])
        return WorldModel(predictor, decoder, Returns(latent, actions, hidden, key=keys[3]))

    def policy(key: Key) -> ReadingPolicy:
        keys = jax.random.split(key)
        recurrent = parts.memory(3 * latent, keys[0])
        size = distribution_of(actions).param_size
        return ReadingPolicy(recurrent, latent, size, hidden, key=keys[1])

    return Merlin(world_model, policy, actions, config)


AGENT_MAKERS: dict[str, Maker] = {
    "ppo": _on_memory(PPO),
    "a2c": _on_memory(PPO, A2CConfig.as_ppo),
    "impala": _on_memory(IMPALA),
    "impala-st": _on_memory(IMPALA),
    "r2d2": _on_memory(R2D2, more=_replayed),
    "merlin": _merlin,
    "greedy": _greedy,
}


def _actions(ground: Ground) -> Space:
    """Return the space that the agent acts in."""
    space = ground.blueprint.action_space
    require(space is not None, f"agent {ground.spec['agent']!r}: there are no actions to choose")
    return space  # type: ignore[return-value]


def make_agent(ground: Ground) -> AbstractAgent:
    """Make the agent that the options name."""
    return AGENT_MAKERS[ground.spec["agent"]](ground)
