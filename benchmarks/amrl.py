"""AMRL's own headline: T-Maze with noise, 100 steps, by recurrent PPO without MemUP.

Every row is the same program and budget: back-propagation through a rollout of one episode, at most
2 million environment steps. "gates spread" is memup's own initialisation of LSTM gates.

    python benchmarks/amrl.py --seeds 0 1 2 [--only NAME ...]     (goes on where it stopped)
"""

import acceptance

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
    args = acceptance.parser(ROWS).parse_args()
    rows = {(name,): f"{COMMON} {ROWS[name]}".split() for name in args.only}
    about = {"command": f"memup train {COMMON}", "rows": ROWS}
    acceptance.cells("headline-amrl", rows, ("name",), args, **about)


if __name__ == "__main__":
    main()
