"""Noisy T-Maze in two phases: a memory from random play, then a policy on its frozen state.

The hint is seen at the first step only; the agent turns left or right at the end of the corridor.

Prints the success rate of the greedy policy; without a memory it is 0.5, expect above 0.95.

    python examples/02_tmaze_two_phase.py [--quick]
"""

import argparse
from collections.abc import Mapping
from typing import Any

import memup


def follow(row: Mapping[str, Any]) -> None:
    """Show where the run is: called with every row of metrics."""
    if "held_out_loss" in row:
        print(f"  {row['phase']:<8} held-out loss {row['held_out_loss']:.4f} nats")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a corridor of 20 steps")
    quick = parser.parse_args().quick
    if quick:
        spec = memup.spec(
            env="tmaze-20",
            memory="gru",
            memory__size=32,
            method__window=5,
            collect__episodes=500,
            detect__updates=200,
            method__batch_size=32,
            agent__hidden=32,
            evaluate__episodes=256,
        )
    else:
        spec = memup.preset("tmaze-100")
    run = memup.train(spec, on_row=follow)
    row = memup.evaluate(run, episodes=256, seed=7)
    low, high = row["success_ci95"]
    print(f"success on {spec['env']}: {row['success_rate']:.3f} (95 %: {low:.3f} to {high:.3f})")


if __name__ == "__main__":
    main()
