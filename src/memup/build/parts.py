"""The parts that a run's learners are put together from, as its spec says."""

from collections.abc import Callable
from typing import Any

import jax

from memup.build.blueprint import Blueprint
from memup.core.errors import require
from memup.core.spaces import flatten
from memup.core.types import Key
from memup.data.rarity import WIDEST
from memup.memories.base import AbstractMemory
from memup.memories.encoded import EncodedMemory
from memup.memories.make import make_memory
from memup.method.local import LocalModel
from memup.method.predictor import LocalPredictor, Predictor
from memup.method.targets.base import AbstractTarget, TargetParts
from memup.method.targets.table import TARGETS
from memup.method.update import Model
from memup.nn.distributions import AbstractDistribution, from_description
from memup.nn.encoders import InputEncoder, QueryEncoder
from memup.nn.events import EventEncoder, ObservationRarity
from memup.specs.spec import RunSpec


def memory_options(spec: RunSpec) -> dict[str, Any]:
    """Return what `make_memory` is given beside name, inputs and key."""
    return {"clock": spec["method.clock"], **spec.options("memory")}


class Parts:
    """Makes encoders, memories and models.

    Args:
        blueprint: what they are put together from.
    """

    def __init__(self, blueprint: Blueprint):
        self.blueprint, self.spec = blueprint, blueprint.spec

    def encoded(self, key: Key) -> EncodedMemory:
        """Make the memory, behind an encoder of environment steps."""
        keys = jax.random.split(key)
        encoder: Any = self.encoder(keys[0])
        threshold = self.spec["method.events"]
        if threshold:
            encoder = EventEncoder(encoder, _rarity(self.blueprint, threshold), threshold)
        memory = self.memory(encoder.output_size, keys[1], events=threshold > 0)
        return EncodedMemory(encoder, memory)

    def encoder(self, key: Key) -> InputEncoder:
        """Make what encodes environment steps."""
        return InputEncoder(
            self.blueprint.observation_space,
            self.blueprint.action_space,
            self.spec["encoder.size"],
            key=key,
            facts=self.blueprint.facts.get("scales"),
            dropout=self.spec["encoder.dropout"],
        )

    def memory(self, inputs: int, key: Key, events: bool = False) -> AbstractMemory:
        """Make the memory that the spec names, over so many floats a step."""
        options = memory_options(self.spec)
        return make_memory(self.spec["memory"], inputs, key=key, events=events, **options)

    def question(self, key: Key) -> QueryEncoder:
        """Make what encodes a question."""
        size = self.spec["encoder.size"]
        return QueryEncoder(
            self.blueprint.observation_space,
            self.blueprint.action_space,
            size,
            self.blueprint.query_length,
            key=key,
            facts=self.blueprint.facts.get("scales"),
        )

    def model(self) -> Callable[[Key], Model]:
        """Return what makes encoder, memory and predictor from a key."""
        likelihood = from_description(self.blueprint.facts["likelihood"])

        def make(key: Key) -> Model:
            keys = jax.random.split(key, 3)
            memory = self.encoded(keys[0])
            question = self.question(keys[1])
            predictor = Predictor(
                memory.output_size,
                question,
                self.spec["method.width"],
                likelihood.param_size,
                key=keys[2],
            )
            return Model(memory, predictor, likelihood)

        return make

    def target(self) -> AbstractTarget:
        """Make what is predicted."""
        fields = tuple(flatten(self.blueprint.observation_space))
        gamma, classes = self.spec.get("agent.gamma", 1.0), self.blueprint.facts.get("classes")
        parts = TargetParts(fields, gamma, classes)
        options = self.spec.options("method.target")
        made: AbstractTarget = TARGETS[self.spec["method.target"]].make(parts, options)
        return made

    def local_model(self, likelihood: AbstractDistribution) -> Callable[[Key], LocalModel]:
        """Return what makes a memory-less model of an outcome from a key."""
        predictor = self.local_predictor(likelihood.param_size)
        return lambda key: LocalModel(predictor(key), likelihood)

    def local_predictor(self, outputs: int) -> Callable[[Key], LocalPredictor]:
        """Return what makes a memory-less predictor of so many numbers from a key."""
        width = self.spec["encoder.size"]

        def make(key: Key) -> LocalPredictor:
            keys = jax.random.split(key)
            return LocalPredictor(self.question(keys[0]), width, outputs, key=keys[1])

        return make


def _rarity(blueprint: Blueprint, threshold: float) -> ObservationRarity:
    facts = blueprint.facts.get("rarity")
    require(
        bool(facts),
        f"method.events={threshold:g}: expected observations of at most {WIDEST} numbers, to know "
        "which are rare",
    )
    return ObservationRarity.of(blueprint.observation_space, facts)
