"""Memories of memup beside their counterparts in PyTorch: same sizes, loss and update, in turn.

    python benchmarks/memories_torch.py --torch-python PATH [--only NAME ...] [--rounds 6] [--quick]

PATH is a Python with requirements/bench.txt. 64 rows, r = 20, size 64, a prediction from every step
for two targets, predictor 128, as in torch_program.py. Each round times memup, then PyTorch as it
is and compiled by torch.compile; a ratio is memup over the faster of the two, in the same round.
"""

import argparse
import gc
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

import jax
import record
import speed

from memup.core.tree import ravel

SIZES = "lstm64-every"
HERE = Path(__file__).parent
NAMES = ("lstm", "gru", "window-transformer", "dnc", "ntm", "rim")
AIMS = {"dnc": 5.0, "ntm": 5.0, "rim": 5.0}


class Torch:
    """A PyTorch program in its own process, idle until it is asked."""

    def __init__(self, python: str, name: str, form: str):
        command = [python, str(HERE / "torch_memories.py"), "--memory", name, "--form", form]
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
    if not math.isfinite(loss):
        raise SystemExit(f"{name}: loss {loss}, expected a finite one")


def start(python: str, name: str) -> dict[str, Torch]:
    """Start both forms; one that cannot be compiled is left out."""
    found = {"eager": Torch(python, name, "eager")}
    try:
        found["compiled"] = Torch(python, name, "compiled")
    except RuntimeError as error:
        print(error, file=sys.stderr)
    return found


def compare(python: str, name: str, rounds: int, seconds: float) -> dict:
    """Time one memory on both sides in turn."""
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
        "name": name,
        **{f"{form}_steps_per_s": round(statistics.median(r)) for form, r in rates.items()},
        **_ratios(rates),
        "aim": AIMS.get(name, 1.0),
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


def main() -> None:
    """Compare the memories that are asked for; record all of them, or print some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--torch-python", required=True)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--quick", action="store_true", help="a short round, nothing recorded")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rounds, seconds = (1, 1.0) if args.quick else (args.rounds, 3.0)
    rows = []
    for name in args.only:
        rows.append(compare(args.torch_python, name, rounds, seconds))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
        jax.clear_caches()
        gc.collect()
    if args.json:
        print(json.dumps({"items": rows}))
    if not args.quick and set(args.only) == set(NAMES):
        record.write("memories_torch", rows, rows=speed.ROWS, window=speed.WINDOW)


if __name__ == "__main__":
    main()
