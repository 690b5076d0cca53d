"""memup doctor: what is installed, and whether it works."""

import importlib.util
import sys
import time

from memup import __version__
from memup.cli.parser import Parser
from memup.runs.rundir import versions

EXTRAS = {
    "gymnax": "environments gymnax:ID",
    "flashbax": "the agent r2d2",
    "torch": "the comparison in benchmarks/",
}


def run(argv: list[str]) -> int:
    """Print versions and devices, and train a very small memory for a few seconds."""
    Parser("doctor", "What is installed, and a check of a few seconds.").parse(argv)
    print(f"memup {__version__}, Python {sys.version.split()[0]}")
    for name, version in versions().items():
        print(f"  {name:<14}{version}")
    for name, what in EXTRAS.items():
        found = "found" if importlib.util.find_spec(name) else "not installed"
        print(f"  {name:<14}{found} ({what})")
    import jax

    print(f"  devices       {', '.join(str(d) for d in jax.devices())}")
    from memup.api import train
    from memup.specs.presets import spec

    small = {
        "memory.size": 8,
        "collect.episodes": 64,
        "detect.updates": 50,
        "method.updates": 50,
        "method.batch_size": 8,
        "agent.steps": 1024,
        "agent.environments": 8,
        "evaluate.episodes": 16,
    }
    begin = time.perf_counter()
    result = train(spec(env="tmaze-10", **small))
    ok = bool(result.results)
    print(f"  self-check    {'passed' if ok else 'FAILED'} in {time.perf_counter() - begin:.1f} s")
    return 0 if ok else 1
