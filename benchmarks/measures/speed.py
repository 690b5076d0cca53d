"""The speed of an update, beside a plain PyTorch program of the same sizes and loss, in turn.

The PyTorch program runs in its own interpreter (`--rival`), with requirements/bench.txt installed;
without one only memup's figures are measured.
"""

import json
import statistics
import subprocess
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.suite import Cell
from memup.acting.rollout import begin, rollout
from memup.agents.random import RandomAgent
from memup.core.spaces import Box, Discrete
from memup.core.tree import initial, rebuilder
from memup.core.types import Query, StepInput, Window
from memup.envs.table import make_env
from memup.memories.encoded import EncodedMemory
from memup.memories.make import make_memory
from memup.memories.table import MEMORIES
from memup.method.predictor import Predictor
from memup.method.update import MemUP, Model
from memup.nn.distributions import Normal
from memup.nn.encoders import InputEncoder, QueryEncoder

RIVALS = Path(__file__).parents[1] / "rivals"
ROWS, WINDOW, TARGETS = 64, 20, 2
SIZES = {"lstm64": (64, 128), "lstm256": (256, 512)}
UPDATES = 20


class Square(Normal):
    """Squared error, as in the PyTorch program."""

    @property
    def param_size(self):
        """The mean alone."""
        return 1

    def log_prob(self, params, y):
        """Return minus the squared error."""
        return -jnp.sum((params - y) ** 2, axis=-1)


def learner(size: int, width: int, name: str = "lstm") -> tuple[MemUP, jax.Array]:
    """Make memup's own learner: observation of 3 numbers, two actions, reward."""
    space = Box((3,))
    sized = {"size": size} if "size" in MEMORIES[name].options else {}

    def make(key):
        keys = jax.random.split(key, 4)
        encoder = InputEncoder(space, Discrete(2), 64, key=keys[0])
        memory = EncodedMemory(encoder, make_memory(name, 64, **sized, key=keys[1]))
        question = QueryEncoder(space, Discrete(2), 64, key=keys[2])
        predictor = Predictor(memory.output_size, question, width, 1, key=keys[3])
        return Model(memory, predictor, Square((0.0,), (1.0,)))

    return MemUP.of(rebuilder(make), 5e-4, 1.0, 0.995), initial(make, jax.random.key(0))


def windows(every: bool) -> Window:
    """Make random data of the right shapes."""
    rng = np.random.default_rng(0)
    query = np.arange(WINDOW) if every else np.array([WINDOW - 1])
    n, q = UPDATES, len(query)
    first = np.zeros((n, ROWS, WINDOW), bool)
    x = StepInput(
        rng.standard_normal((n, ROWS, WINDOW, 3)).astype(np.float32),
        rng.integers(2, size=(n, ROWS, WINDOW)),
        np.zeros((n, ROWS, WINDOW), np.float32),
        first,
    )
    shape = (n, ROWS, q, TARGETS)
    context = Query(
        rng.standard_normal((*shape, 3)).astype(np.float32), rng.integers(2, size=shape)
    )
    target = rng.standard_normal((*shape, 1)).astype(np.float32)
    weight = np.ones(shape, np.float32)
    return Window(x, np.broadcast_to(query, (n, q)), context, target, weight)


class Program:
    """One configuration, compiled; `rate` times it."""

    def __init__(self, name: str, memory: str = "lstm"):
        size, mode = name.split("-")
        self.learner, params = learner(*SIZES[size], memory)
        self.state, self.windows = self.learner.init(params, ROWS), windows(mode == "every")
        begin = time.perf_counter()
        self.run = jax.jit(self.learner.learn_many).lower(self.state, self.windows).compile()
        self.compile_s = time.perf_counter() - begin

    def rate(self, seconds: float) -> float:
        """Return sequence-steps a second: rows times window over the time of an update."""
        rates = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            begin = time.perf_counter()
            self.state, metrics = self.run(self.state, self.windows)
            jax.block_until_ready(self.state)
            rates.append(UPDATES * ROWS * WINDOW / (time.perf_counter() - begin))
        self.last_loss = float(metrics["loss"][-1])
        return statistics.median(rates)


def torch_rate(python: str, name: str, seconds: float) -> dict:
    """Run the PyTorch program; return its rates by form."""
    command = [python, str(RIVALS / "torch_program.py"), "--seconds", str(seconds), "--only", name]
    command += ["--device", "cuda" if jax.default_backend() == "gpu" else "cpu"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(out.strip().splitlines()[-1])


def sgemm_gflops() -> float:
    """Return the float32 matrix-multiply speed of this machine in XLA."""
    a = jnp.ones((1024, 1024))
    multiply = jax.jit(lambda a: a @ a)
    multiply(a).block_until_ready()
    best = 0.0
    for _ in range(20):
        begin = time.perf_counter()
        multiply(a).block_until_ready()
        best = max(best, 2 * 1024**3 / (time.perf_counter() - begin) / 1e9)
    return best


def flops(name: str) -> float:
    """Count the multiplications and additions of an update in matrix products, 3x the forward."""
    size, mode = name.split("-")
    hidden, width = SIZES[size]
    queries = WINDOW if mode == "every" else 1
    recurrent = WINDOW * (6 * 64 + (64 + hidden) * 4 * hidden)
    asked = queries * hidden * width
    answers = queries * TARGETS * (3 * 64 + 2 * 66 * width + width * width + width)
    return 3 * 2 * ROWS * (recurrent + asked + answers)


def environment_rate(seconds: float) -> float:
    """Return steps a second of random play on the device, all outputs summed."""
    env, agent, batch, length = make_env("tmaze-1000"), RandomAgent(Discrete(2)), 4096, 256
    carry = begin(agent, (), env, batch, key=jax.random.key(0))

    @jax.jit
    def play(carry, key):
        carry, trajectory = rollout(agent, (), env, carry, length, key=key)
        return carry, sum(jnp.sum(x, dtype=jnp.float32) for x in jax.tree.leaves(trajectory.step))

    jax.block_until_ready(play(carry, jax.random.key(1)))
    rates, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        begin_s = time.perf_counter()
        carry, total = play(carry, jax.random.key(2))
        total.block_until_ready()
        rates.append(batch * length / (time.perf_counter() - begin_s))
    return statistics.median(rates)


def update(cell: Cell) -> dict:
    """Time one program in turn with its rival, several rounds."""
    name, spec = cell.labels["program"], cell.row.spec
    seconds = 1.0 if cell.quick else spec["seconds"]
    device = jax.devices()[0]
    on = {} if device.platform == "cpu" else {"device": device.device_kind}
    if name == "environment":
        return {**on, "environment_steps_per_s": environment_rate(seconds)}
    program = Program(name)
    found: dict[str, list[float]] = {"memup": [], "torch": [], "sgemm_gflops": []}
    for _ in range(1 if cell.quick else spec["rounds"]):
        found["sgemm_gflops"].append(sgemm_gflops())
        found["memup"].append(program.rate(seconds))
        if cell.rival:
            out = torch_rate(cell.rival, name, seconds)["programs"][name]
            found["torch"].append(max(v for v in out.values() if isinstance(v, int | float)))
    return {**on, **_summary(name, program, found)}


def _summary(name: str, program: Program, rows: dict) -> dict:
    ours = statistics.median(rows["memup"])
    gflops = flops(name) * ours / (ROWS * WINDOW) / 1e9
    out = {
        "memup_sequence_steps_per_s": round(ours),
        "compile_s": round(program.compile_s, 2),
        "matrix_gflops": round(gflops, 1),
        "sgemm_gflops": round(statistics.median(rows["sgemm_gflops"]), 1),
        "share_of_sgemm": round(gflops / statistics.median(rows["sgemm_gflops"]), 3),
    }
    if rows["torch"]:
        pairs = zip(rows["memup"], rows["torch"], strict=True)
        out["torch_sequence_steps_per_s"] = round(statistics.median(rows["torch"]))
        out["ratio"] = round(statistics.median(a / b for a, b in pairs), 2)
        out["ratios"] = [round(a / b, 2) for a, b in zip(rows["memup"], rows["torch"], strict=True)]
    return out
