"""memup eval: a trained run on fresh episodes or other data."""

import json
import sys

from memup.cli.parser import Parser
from memup.runs.rundir import RunDir


def run(argv: list[str]) -> int:
    """Evaluate; append the row to the run's eval.jsonl."""
    parser = Parser(
        "eval",
        "Evaluate a run: its agent on fresh episodes, or its predictor.",
    )
    parser.add_argument("run", help="run directory")
    parser.add_argument("--env", help="another environment with the same spaces")
    parser.add_argument("--task", help="another task with the same spaces")
    parser.add_argument("--dataset", help="another data set with the same fields")
    parser.add_argument("--episodes", type=int, default=256, help="how many [256]")
    parser.add_argument("--seed", type=int, default=1, help="of the evaluation [1]")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse(argv)
    if args.episodes < 1:
        parser.error(f"--episodes {args.episodes}: expected at least 1")
    directory = RunDir.open(args.run)
    from memup.api import evaluate
    from memup.cli.progress import Progress

    with Progress(quiet=args.json and not sys.stderr.isatty()) as progress:
        row = evaluate(
            args.run,
            env=args.env,
            task=args.task,
            dataset=args.dataset,
            episodes=args.episodes,
            seed=args.seed,
            on_row=progress.show,
        )
    directory.append("eval", {"name": f"evaluation, seed {args.seed}", **row})
    if args.json:
        print(json.dumps(row))
        return 0
    from memup.cli.train import show_results

    show_results([{"name": "evaluation", **row}], str(args.run))
    return 0
