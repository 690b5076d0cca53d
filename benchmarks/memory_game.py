"""The memory game, by MERLIN with 4, 6 and 8 cards and by MemUP with 6: train, then judge.

    python benchmarks/memory_game.py --seeds 0 [--only "merlin, 4 cards" ...]

An optimal player needs 3N/2 flips at most: a mean return of 0 or more. Goes on where it stopped.
"""

import acceptance

# The settings of merlin are those of its preset; a game of N cards has 2N rows and rollouts of 4N.
FOUR = ["--agent.slots", "8", "--agent.rollout", "16"]
ROWS = {
    "merlin, 4 cards": ["memory-game-6-merlin", "--env", "memory-game-4", *FOUR],
    "merlin, 6 cards": ["memory-game-6-merlin"],
    "merlin, 8 cards": ["memory-game-8-merlin"],
    "memup, 6 cards": [
        "--env",
        "memory-game-6",
        "--agent.gamma",
        "0.8",
        "--agent.steps",
        "4000000",
    ],
}


def main() -> None:
    """Run the cells that are not recorded yet."""
    args = acceptance.parser(ROWS).parse_args()
    rows = {(name,): ROWS[name] for name in args.only}
    acceptance.cells("memory-game", rows, ("player",), args, command="memup train ... --seed N")


if __name__ == "__main__":
    main()
