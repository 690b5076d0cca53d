"""AMRL's own headline: T-Maze with noise, 100 steps, by recurrent PPO without MemUP.

Every row is the same program and budget: back-propagation through a rollout of one episode, at most
2 million environment steps. "gates spread" is memup's own initialisation of LSTM gates.

    python benchmarks/amrl.py [--seeds 0 1 2] [--only NAME ...]     (goes on where it stopped)
"""

import argparse
import json
import tempfile

import acceptance
import record

COMMON = (
    "--env tmaze-ln-100 --training end-to-end --agent.rollout 101 --agent.hidden 32 "
    "--agent.steps 2000000"
)
TRUE = "--memory.timescale 0 --memory.straight_through no"
ROWS = {
    "amrl-max": "--memory amrl-max --memory.timescale 0",
    "amrl-avg": "--memory amrl-avg --memory.timescale 0",
    "amrl-max, true gradient": f"--memory amrl-max {TRUE}",
    "amrl-avg, true gradient": f"--memory amrl-avg {TRUE}",
    "lstm": "--memory lstm --memory.timescale 0",
    "lstm, gates spread": "--memory lstm",
}


def main() -> None:
    """Run the cells that are not recorded yet."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    results = [r for r in record.earlier("headline-amrl") or [] if "error" not in r]
    for name in args.only:
        with tempfile.TemporaryDirectory() as cache:
            for seed in args.seeds:
                if any((r["name"], r["seed"]) == (name, seed) for r in results):
                    continue
                words = f"{COMMON} {ROWS[name]}".split()
                results.append({"name": name, **acceptance.run(words, seed, cache)})
                print(json.dumps(results[-1]), flush=True)
                record.write("headline-amrl", results, command=f"memup train {COMMON}", rows=ROWS)


if __name__ == "__main__":
    main()
