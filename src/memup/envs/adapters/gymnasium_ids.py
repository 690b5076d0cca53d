"""What Gymnasium knows about an environment id. No jax here."""

import difflib
import importlib
import os
import sys

import gymnasium

from memup.core.errors import MemupError


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
