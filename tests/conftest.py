"""Switches for all tests: silent broadcasting is an error, compiled programs are shared."""

import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import pytest

jax.config.update("jax_numpy_rank_promotion", "raise")
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "memup" / "xla"
jax.config.update("jax_compilation_cache_dir", str(CACHE))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)


@pytest.fixture
def key():
    return jax.random.key(0)
