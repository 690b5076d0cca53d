"""The model file: weights, spaces, facts and options, all that answering and acting need."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup import __version__
from memup.agents.base import AbstractAgent
from memup.build.agents import Ground, make_agent
from memup.build.blueprint import Blueprint
from memup.build.parts import Parts
from memup.core.errors import MemupError, require
from memup.core.jsonfiles import plain
from memup.core.spaces import from_json, to_json
from memup.core.tree import ravel, rebuilder
from memup.method.update import Model as Trained
from memup.runs import tensorfile
from memup.specs.spec import make_spec

KIND, VERSION = "model file", "1"
NAME = "model.safetensors"
# Where the sequences came from is of no use to a model, and may name places on another machine.
SOURCES = ("env", "dataset", "task")


@dataclass(frozen=True)
class Contents:
    """What a model file holds.

    Attributes:
        blueprint: what the networks are put together from.
        model: memory and predictor that MemUP trained, if it did.
        networks: modules that the agent acts with, if there is one; see AbstractAgent.networks.
        about: "source": what it was trained on, "memup": by which version, "episode_length": mean
            steps of the sequences.
    """

    blueprint: Blueprint
    model: Trained | None
    networks: dict[str, Any] | None
    about: dict[str, Any]

    def agent(self) -> tuple[AbstractAgent, PyTree]:
        """Return the agent, which can act only, and its state."""
        require(self.networks is not None, "the model has no policy: no agent was trained with it")
        agent = make_agent(_ground(self.blueprint, self.model))
        return agent, agent.acting(self.networks)  # type: ignore[arg-type]


def contents(
    blueprint: Blueprint, results: Mapping[str, PyTree], about: Mapping[str, Any]
) -> Contents:
    """Collect what a run has trained.

    Args:
        blueprint: of the run.
        results: arrays that its finished phases left; "model" and "agent" are looked at.
        about: see Contents.
    """
    model = None
    if "model" in results:
        model = rebuilder(Parts(blueprint).model())(results["model"])
    networks = None
    if "agent" in results:
        networks = make_agent(_ground(blueprint, model)).networks(results["agent"])
    return Contents(blueprint, model, networks, dict(about))


def save(path: str | Path, held: Contents) -> None:
    """Write a model file; a crash leaves the old file or the new one.

    Raises:
        MemupError: it holds nothing that was trained, or cannot be written.
    """
    blueprint, networks = held.blueprint, held.networks or {}
    require(held.model is not None or bool(networks), "nothing has been trained yet")
    # A frozen memory is written once, though both predictor and policy read it.
    own = _own(held.model)
    shared = sorted(n for n, part in networks.items() if n in own and _same(part, own[n]))
    arrays = {} if held.model is None else _named("model", held.model)
    for name, part in networks.items():
        arrays |= {} if name in shared else _named(f"agent.{name}", part)
    about = {
        **held.about,
        "memup": __version__,
        "observation_space": to_json(blueprint.observation_space),
        "action_space": to_json(blueprint.action_space),
        "query_length": blueprint.query_length,
        "facts": dict(blueprint.facts),
        "options": {n: v for n, v in blueprint.spec.items() if n not in SOURCES},
        "model": held.model is not None,
        "agent": held.networks is not None,
        "shared": shared,
    }
    tensorfile.write(Path(path), KIND, VERSION, arrays, plain(about))


def read(path: str | Path) -> Contents:
    """Read a model file.

    Raises:
        MemupError: there is none, it is damaged, of another version, or lacks weights.
    """
    path = Path(path)
    arrays, about = tensorfile.read(path, KIND, VERSION)
    try:
        blueprint = _blueprint(about)
        weights = _Weights(path, arrays)
        model = weights.take("model", _shape(Parts(blueprint).model())) if about["model"] else None
        networks = _networks(about, blueprint, model, weights) if about["agent"] else None
        weights.check_all_taken()
    except MemupError as error:
        said = f"{error}" if str(path) in str(error) else f"model file {path}: {error}"
        raise MemupError(f"{said} (memup {about.get('memup')} wrote it)") from None
    return Contents(blueprint, model, networks, about)


def _blueprint(about: Mapping[str, Any]) -> Blueprint:
    seen, done = from_json(about["observation_space"]), from_json(about["action_space"])
    require(seen is not None, "it has no observation space")
    spec, facts = make_spec(about["options"]), about["facts"]
    return Blueprint(spec, seen, done, about["query_length"], facts)  # type: ignore[arg-type]


def _ground(blueprint: Blueprint, model: Trained | None) -> Ground:
    return Ground(blueprint, None if model is None else ravel(model), actors=1)


def _networks(
    about: Mapping[str, Any], blueprint: Blueprint, model: Trained | None, weights: "_Weights"
) -> dict[str, Any]:
    agent, own = make_agent(_ground(blueprint, model)), _own(model)
    shapes = _shape(lambda key: agent.networks(agent.init(key=key)))
    return {
        name: own[name] if name in about["shared"] else weights.take(f"agent.{name}", shape)
        for name, shape in shapes.items()
    }


def _own(model: Trained | None) -> dict[str, Any]:
    """Return what an agent's networks may share with a model."""
    return {} if model is None else {"model": model, "memory": model.memory}


class _Weights:
    """The arrays of a file, taken by modules."""

    def __init__(self, path: Path, arrays: Mapping[str, np.ndarray]):
        self.path, self.arrays, self.left = path, arrays, set(arrays)

    def take(self, prefix: str, shape: Any) -> Any:
        """Fill a module of shapes with arrays."""
        is_array = lambda leaf: isinstance(leaf, jax.ShapeDtypeStruct)  # noqa: E731
        wanted, static = eqx.partition(shape, is_array)
        found = [self._one(f"{prefix}{name}", leaf) for name, leaf in _leaves(wanted)]
        return eqx.combine(jax.tree.unflatten(jax.tree.structure(wanted), found), static)

    def check_all_taken(self) -> None:
        """Raise MemupError if there are weights that no network has."""
        more = min(self.left, default="")
        require(not more, f"model file {self.path} holds {more!r}, which no network of it has")

    def _one(self, name: str, leaf: jax.ShapeDtypeStruct) -> jax.Array:
        require(name in self.arrays, f"model file {self.path} lacks the weights {name!r}")
        self.left.discard(name)
        found, expected = self.arrays[name], leaf.shape or (1,)
        require(
            found.shape == expected,
            f"model file {self.path}: weights {name!r} are {list(found.shape)}, expected "
            f"{list(expected)} by its options",
        )
        return jnp.asarray(found.reshape(leaf.shape))


def _shape(make: Any) -> Any:
    return eqx.filter_eval_shape(make, jax.random.key(0))


def _leaves(tree: PyTree) -> list[tuple[str, Any]]:
    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    return [
        ("." + jax.tree_util.keystr(path, simple=True, separator="."), leaf)
        for path, leaf in leaves
    ]


def _named(prefix: str, module: Any) -> dict[str, np.ndarray]:
    arrays = eqx.filter(module, eqx.is_inexact_array)
    return {
        f"{prefix}{name}": np.ascontiguousarray(np.atleast_1d(np.array(leaf)))
        for name, leaf in _leaves(arrays)
    }


def _same(one: Any, other: Any) -> bool:
    return bool(jnp.array_equal(ravel(one), ravel(other)))
