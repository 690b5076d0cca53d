"""Our environments in Gymnasium's registry. Neither importing nor calling this loads jax."""

_MAKE = "memup.envs.to_gymnasium:make_registered"
FAMILIES = {
    "memup/NoisyTMaze-v0": {"family": "memup.envs.tmaze:TMaze", "length": 100},
    "memup/TMazeDistractors-v0": {
        "family": "memup.envs.distractors:TMazeDistractors",
        "distractors": 5,
        "length": 100,
    },
    "memup/MemoryLen-v0": {"family": "memup.envs.memory_len:MemoryLen", "length": 50},
    "memup/EndlessTMaze-v0": {
        "family": "memup.envs.endless:EndlessTMaze",
        "junctions": 5,
        "corridor": 50,
    },
    "memup/ActiveTMaze-v0": {"family": "memup.envs.active:ActiveTMaze", "length": 20},
}


def register_environments() -> None:
    """Register the built-in environments with Gymnasium; a second call changes nothing."""
    from gymnasium.envs.registration import register, registry

    for env_id, settings in FAMILIES.items():
        if env_id not in registry:
            register(id=env_id, entry_point=_MAKE, kwargs=settings)
