"""What Gymnasium knows about an environment id, and its spaces as ours. No jax here."""

import difflib
import importlib
import math
import os
import sys
from typing import Any

import gymnasium
import numpy as np

from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete, Space

# Without 64-bit numbers in jax, and with float16 of no use to a learner.
_DTYPES = {"float64": "float32", "float16": "float32", "int64": "int32", "uint64": "uint32"}


def find_spec(name: str) -> str:
    """Check that Gymnasium knows an environment; import its module first if it names one.

    Args:
        name: "CartPole-v1", or "module:MyEnv-v0"; the module may lie in the working directory.

    Returns:
        The id that Gymnasium knows, without the module.

    Raises:
        MemupError: the module cannot be imported, or no such environment is registered.
    """
    module, _, env_id = name.rpartition(":")
    if module:
        _import(module, name)
    if env_id not in gymnasium.registry:
        near = difflib.get_close_matches(env_id, list(gymnasium.registry), n=1, cutoff=0.7)
        hint = f"did you mean 'gym:{near[0]}'? " if near else ""
        raise MemupError(
            f"environment 'gym:{name}': {hint}Gymnasium has no {env_id!r}; "
            "gym:MODULE:ID imports MODULE, which may register it, first"
        )
    return env_id


def _import(module: str, name: str) -> None:
    # A command installed in bin/ does not search the working directory, as `python` does.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        importlib.import_module(module)
    except ImportError as error:
        message = f"environment 'gym:{name}': cannot import {module!r}: {error}"
        raise MemupError(message) from None


def space_from_gymnasium(space: gymnasium.Space, what: str) -> Space:
    """Convert an observation space.

    Box, MultiBinary and MultiDiscrete become Box; Discrete begins at 0; Dict may be nested.

    Args:
        space: the space of one environment.
        what: how the user wrote the environment, for the error.

    Raises:
        MemupError: a space of another kind (Tuple, Text, Sequence, Graph).
    """
    match space:
        case gymnasium.spaces.Dict():
            return Dict({n: space_from_gymnasium(s, what) for n, s in space.spaces.items()})
        case gymnasium.spaces.Discrete():
            return Discrete(int(space.n))
        case gymnasium.spaces.Box():
            low, high = (float(f(b)) for f, b in ((np.min, space.low), (np.max, space.high)))
            return Box(space.shape, _dtype(space), low, high)
        case gymnasium.spaces.MultiBinary():
            return Box(space.shape, "int8", 0.0, 1.0)
        case gymnasium.spaces.MultiDiscrete():
            last = space.start + space.nvec - 1
            return Box(space.shape, "int32", float(space.start.min()), float(last.max()))
    raise MemupError(
        f"{what}: observations are {space}, expected Box, Discrete, MultiBinary, MultiDiscrete or "
        "a Dict of them; register a version wrapped in gymnasium.wrappers.FlattenObservation"
    )


def observation_from_gymnasium(space: gymnasium.Space, obs: Any) -> Any:
    """Copy an observation, or a batch of them, into the dtypes of `space_from_gymnasium`."""
    match space:
        case gymnasium.spaces.Dict():
            return {n: observation_from_gymnasium(s, obs[n]) for n, s in space.spaces.items()}
        case gymnasium.spaces.Discrete():
            return (np.asarray(obs) - space.start).astype(np.int32)
        case gymnasium.spaces.MultiDiscrete():
            return np.array(obs, np.int32)
    return np.array(obs, _dtype(space))


def space_to_gymnasium(space: Space) -> gymnasium.Space:
    """Convert one of our spaces."""
    match space:
        case Dict():
            spaces = {name: space_to_gymnasium(s) for name, s in space.spaces.items()}
            return gymnasium.spaces.Dict(spaces)
        case Discrete():
            return gymnasium.spaces.Discrete(space.n)
    dtype = np.dtype(space.dtype)
    low, high = space.low, space.high
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        low = bounds.min if math.isinf(low) else low
        high = bounds.max if math.isinf(high) else high
    return gymnasium.spaces.Box(low, high, space.shape, dtype.type)


def _dtype(space: gymnasium.Space) -> str:
    name = np.dtype(space.dtype).name
    return _DTYPES.get(name, name)
