"""What each part of the method is worth: one thing changed at a time, at most 4,000 updates.

    python benchmarks/ablation.py --seeds 0 [--only "selector uniform" ...]

Two tasks: a long corridor, and one with five steps that pay at random. The agent acts by what the
predictor expects, so that success shows the memory alone. Goes on where it stopped.
"""

import acceptance

TASKS = ("tmaze-1000", "tmaze-distractors-5-lnr-1000")
BASE = ["--method.updates", "4000", "--evaluate.episodes", "256", "--method.order", "jump"]
CHANGES = {
    "none": [],
    "detector quantile": ["--method.detector", "quantile"],
    "detector surprise": ["--method.detector", "surprise"],
    "detector oracle": ["--method.detector", "oracle"],
    "selector top-k": ["--method.selector", "top-k"],
    "selector temperature": ["--method.selector", "temperature"],
    "selector nearest": ["--method.selector", "nearest"],
    "selector uniform": ["--method.selector", "uniform"],
    "selector current (truncated BPTT)": ["--method.selector", "current"],
    "no old rows": ["--method.long_rows", "0"],
    "8 visits": ["--method.segments", "8"],
    "order staggered": ["--method.order", "staggered"],
    "order sequential": ["--method.order", "sequential"],
    "K = 3": ["--method.targets", "3"],
    "K = 10": ["--method.targets", "10"],
    "r = 5": ["--method.window", "5"],
    "r = 50": ["--method.window", "50"],
}


def words(task: str, change: str) -> list[str]:
    """Return what follows `memup train`."""
    short = ["--collect.episodes", "2000", "--collect.environments", "256"]
    base = ["tmaze-100000", "--env", task, *short, *BASE, "--method.selector", "information-gain"]
    changed = CHANGES[change]
    # A field that is changed is given once.
    for name in changed[::2]:
        if name in base:
            at = base.index(name)
            del base[at : at + 2]
    return [*base, *changed]


def main() -> None:
    """Run the cells that are not recorded yet."""
    args = acceptance.parser(CHANGES, "changes").parse_args()
    rows = {(task, change): words(task, change) for change in args.only for task in TASKS}
    acceptance.cells("ablation", rows, ("task", "change"), args, base=words("TASK", "none"))


if __name__ == "__main__":
    main()
