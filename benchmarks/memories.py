"""Every memory side by side: speed of training, size, compile time and peak memory.

Output size 64, 64 rows, r = 20, a prediction from every step for two targets, predictor 128; each
memory in a process of its own, one after the other.

    python benchmarks/memories.py [--quick] [--only NAME ...]     (also: memup bench memories)
    python benchmarks/memories.py --picture       draw what was recorded; nothing is measured
"""

import argparse
import json
import resource
import subprocess
import sys

import memories_picture
import record

from memup.memories.table import MEMORIES

SIZES = "lstm64-every"


def measure(name: str, seconds: float) -> dict:
    """Compile and time one memory in this process."""
    import jax
    import speed

    from memup.core.tree import ravel

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

    jax.block_until_ready(jax.numpy.ones(8) + 1)
    before = peak()
    program = speed.Program(SIZES, name)
    rate = program.rate(seconds)
    memory = program.learner.model(program.state.model).memory.memory
    return {
        "name": name,
        "sequence_steps_per_s": round(rate),
        "parameters": int(ravel(memory).size),
        "state_numbers": sum(leaf.size for leaf in jax.tree.leaves(memory.initial_state())),
        "output_size": memory.output_size,
        "compile_s": round(program.compile_s, 2),
        "peak_mib": peak() - before,
    }


def main() -> None:
    """Measure the memories that are asked for; record them, print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="+", default=list(MEMORIES))
    parser.add_argument("--quick", action="store_true", help="a second each, nothing recorded")
    parser.add_argument("--picture", action="store_true", help="draw the recorded results")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    seconds = 1.0 if args.quick else 5.0
    if args.picture:
        memories_picture.write()
        return
    if args.child:
        print(json.dumps(measure(args.child, seconds)))
        return
    rows = []
    for name in args.only:
        command = [sys.executable, __file__, "--child", name] + ["--quick"] * args.quick
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rows.append(json.loads(out.splitlines()[-1]))
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    if args.json:
        print(json.dumps({"items": rows}))
    if not args.quick and set(args.only) == set(MEMORIES):
        record.write("memories", rows)
        memories_picture.write()


if __name__ == "__main__":
    main()
