"""From an environment to copies of it."""

from typing import Any

from memup.acting.device import DeviceVectorEnv
from memup.acting.host import HostVectorEnv
from memup.acting.vector import VectorEnv
from memup.envs.base import AbstractEnv


def vector_env(env: Any, n: int) -> VectorEnv:
    """Return copies of an environment.

    Args:
        env: an `AbstractEnv`, a host environment that holds its copies, or a `VectorEnv`.
        n: copies; a host environment has its own number.
    """
    if isinstance(env, VectorEnv):
        return env
    return DeviceVectorEnv(env, n) if isinstance(env, AbstractEnv) else HostVectorEnv(env)
