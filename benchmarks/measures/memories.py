"""A memory by itself and beside its counterpart in PyTorch: speed of training, size, compiling."""

import json
import math
import resource
import statistics
import subprocess
import sys

import jax

from benchmarks.measures import speed
from benchmarks.suite import Cell
from memup.core.errors import require
from memup.core.tree import ravel

SIZES = "lstm64-every"


def alone(cell: Cell) -> dict:
    """Compile and time one memory: output size 64, 64 rows, r = 20, two targets of every step."""

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    jax.block_until_ready(jax.numpy.ones(8) + 1)
    before = peak()
    program = speed.Program(SIZES, cell.labels["name"])
    rate = program.rate(1.0 if cell.quick else cell.row.spec["seconds"])
    memory = program.learner.model(program.state.model).memory.memory
    return {
        "sequence_steps_per_s": round(rate),
        "parameters": int(ravel(memory).size),
        "state_numbers": sum(leaf.size for leaf in jax.tree.leaves(memory.initial_state())),
        "output_size": memory.output_size,
        "compile_s": round(program.compile_s, 2),
        "peak_mib": peak() - before,
    }


class Torch:
    """A PyTorch program in its own process, idle until it is asked."""

    def __init__(self, python: str, name: str, form: str):
        command = [
            python,
            str(speed.RIVALS / "torch_memories.py"),
            "--memory",
            name,
            "--form",
            form,
        ]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
        )
        self.about = self._read()

    def _read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self.process.args)}: ended without an answer")
        return json.loads(line)

    def rate(self, seconds: float) -> float:
        """Train for so long. Return sequence-steps a second."""
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        answer = self._read()
        require_finite(self.process.args[3], answer["loss"])
        return answer["rate"]

    def close(self) -> None:
        """Let the process end."""
        self.process.stdin.close()
        self.process.wait()


def require_finite(name: str, loss: float) -> None:
    """A program that has broken is not timed."""
    require(math.isfinite(loss), f"{name}: loss {loss}, expected a finite one")


def start(python: str, name: str) -> dict[str, Torch]:
    """Start both forms; one that cannot be compiled is left out."""
    found = {"eager": Torch(python, name, "eager")}
    try:
        found["compiled"] = Torch(python, name, "compiled")
    except RuntimeError as error:
        print(error, file=sys.stderr)
    return found


def beside_torch(cell: Cell) -> dict:
    """Time one memory on both sides in turn."""
    name, spec = cell.labels["name"], cell.row.spec
    rounds, seconds = (1, 1.0) if cell.quick else (spec["rounds"], spec["seconds"])
    python = cell.rival
    require(bool(python), "give --rival PATH, a Python with requirements/bench.txt")
    ours, theirs = speed.Program(SIZES, name), start(python, name)
    rates: dict[str, list[float]] = {"memup": [], **{form: [] for form in theirs}}
    for _ in range(rounds):
        rates["memup"].append(ours.rate(seconds))
        require_finite(name, float(ours.last_loss))
        for form, program in theirs.items():
            rates[form].append(program.rate(seconds))
    for program in theirs.values():
        program.close()
    memory = ours.learner.model(ours.state.model).memory.memory
    return {
        **{f"{form}_steps_per_s": round(statistics.median(r)) for form, r in rates.items()},
        **_ratios(rates),
        "aim": spec["aim"],
        "parameters": int(ravel(memory).size),
        "torch_parameters": theirs["eager"].about["parameters"],
        "program_parameters": int(ours.state.model.size),
        "torch_program_parameters": theirs["eager"].about["of_program"],
        "compile_s": round(ours.compile_s, 1),
        "torch_start_s": {form: p.about["start_s"] for form, p in theirs.items()},
        "torch": theirs["eager"].about["torch"],
    }


def _ratios(rates: dict[str, list[float]]) -> dict:
    """Return memup over eager PyTorch and over the faster form, round by round."""
    rounds = list(zip(*rates.values(), strict=True))
    best = [round(ours / max(theirs), 3) for ours, *theirs in rounds]
    eager = [a / b for a, b in zip(rates["memup"], rates["eager"], strict=True)]
    return {
        "ratio": statistics.median(best),
        "ratios": best,
        "ratio_to_eager": round(statistics.median(eager), 3),
    }
