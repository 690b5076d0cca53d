"""The rows of the tables of very long mazes and of the ablation, from their result files."""

from markdown import shares

FRONTIER = (
    "task",
    "success by seed",
    "detector and memory, longest",
    "collecting, longest",
    "updates of the memory, most",
    "own memory, most",
)
EXTRAPOLATION = ("trained on", "judged on", "episodes", "success [95 %]", "steps a second")
BLANKS = (
    "memory",
    "trained",
    "updates",
    "loss of windows",
    "of whole sequences",
    "at 10,000 blanks",
    "at 100,000",
    "at 1,000,000",
)
ABLATION = ("change", "tmaze-1000: success by seed", "updates", "with 5 distractors", "updates")


def frontier(results: list[dict]) -> list[tuple]:
    """Return a row a task."""
    tasks = dict.fromkeys(r["task"] for r in results)
    return [_row(task, [r for r in results if r["task"] == task]) for task in tasks]


def _row(task: str, results: list[dict]) -> tuple:
    good = [r for r in results if "error" not in r]
    if not good:
        return (f"`{task}`", *[""] * 5)
    phases = [r["phases_s"] for r in good]
    return (
        f"`{task}`",
        shares(good, "success_rate"),
        f"{max(p['detect'] + p['memory'] for p in phases):.0f} s",
        f"{max(p['collect'] for p in phases):.0f} s",
        f"{max(r['memory_updates'] for r in good):,}",
        f"{max(r.get('peak_anonymous_mib', 0) for r in good):,} MiB",
    )


def extrapolation(results: list[dict]) -> list[tuple]:
    """Return a row a length that nothing was trained at."""
    return [
        (
            f"`{r['trained']}`, seed {r['seed']}",
            f"`{r['env']}`",
            f"{r['episodes']}",
            "{:.1f} % [{:.1f}, {:.1f}]".format(
                *(100 * x for x in (r["success_rate"], *r["success_ci95"]))
            ),
            f"{r['steps_per_second']:,.0f}",
        )
        for r in results
    ]


def blanks(results: list[dict]) -> list[tuple]:
    """Return a row a memory: what it recalls over more blanks than it was trained on."""
    lengths = ("at_10000", "at_100000", "at_1000000")
    return [
        (
            f"`{r['memory']}`",
            f"{r['train_s']:.0f} s",
            f"{r['updates']:,}",
            *(f"{r[name]:.3f}" if name in r else "" for name in ("loss", "held_out_loss")),
            *(f"{100 * r[at]['accuracy']:.1f} %" for at in lengths),
        )
        for r in results
    ]


def ablation(results: list[dict]) -> list[tuple]:
    """Return a row a change, both tasks side by side."""
    good = [r for r in results if "error" not in r]
    changes = dict.fromkeys(r["change"] for r in good)
    tasks = sorted({r["task"] for r in good})  # as in the head: the quiet one first

    def cell(change: str, task: str) -> tuple[str, str]:
        own = [r for r in good if (r["change"], r["task"]) == (change, task)]
        return (
            (shares(own, "success_rate"), f"{max(r['memory_updates'] for r in own):,}")
            if own
            else ("", "")
        )

    return [(change, *(x for task in tasks for x in cell(change, task))) for change in changes]
