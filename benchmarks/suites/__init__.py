"""The suites by name."""

from benchmarks.suite import Suite
from benchmarks.suites import agents, mazes, memories, programs, tasks

SUITES: dict[str, Suite] = {
    suite.name: suite
    for module in (programs, mazes, tasks, memories, agents)
    for suite in module.SUITES
}
