"""The tables of the method: presets, long and noisy mazes, blanks, changes, supervised tasks."""

import statistics

from benchmarks.render.markdown import by, figures, load, measured, middle, shares, table

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


def _frontier_rows(results: list[dict]) -> list[tuple]:
    """Return a row a task."""
    tasks = dict.fromkeys(r["task"] for r in results)
    return [_row(task, [r for r in results if r["task"] == task]) for task in tasks]


def _row(task: str, results: list[dict]) -> tuple:
    good = [r for r in results if "error" not in r]
    if not good:
        return (f"`{task}`", shares(results, "success_rate"), *[""] * 4)
    phases = [r["phases_s"] for r in good]
    return (
        f"`{task}`",
        shares(results, "success_rate"),
        f"{max(p['detect'] + p['memory'] for p in phases):.0f} s",
        f"{max(p['collect'] for p in phases):.0f} s",
        f"{max(r['memory_updates'] for r in good):,}",
        f"{max(r.get('peak_anonymous_mib', 0) for r in good):,} MiB",
    )


def _extrapolation_rows(results: list[dict]) -> list[tuple]:
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


def _blanks_rows(results: list[dict]) -> list[tuple]:
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


def _ablation_rows(results: list[dict]) -> list[tuple]:
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


def frontier() -> str:
    """Very long and very noisy mazes."""
    found = load("frontier")
    rows = _frontier_rows(found.get("results", []))
    return table(FRONTIER, rows) + measured(found) if rows else ""


def extrapolation() -> str:
    """Judged on mazes longer than any that were trained on."""
    found = load("extrapolation")
    rows = _extrapolation_rows(found.get("results", []))
    return table(EXTRAPOLATION, rows) + measured(found) if rows else ""


def blanks() -> str:
    """What every memory recalls over ten and a hundred times as many blanks."""
    found = load("blanks")
    rows = _blanks_rows(found.get("results", []))
    return table(BLANKS, rows) + measured(found) if rows else ""


def ablation() -> str:
    """The method with one thing changed at a time."""
    found = load("ablation")
    rows = _ablation_rows(found.get("results", []))
    return table(ABLATION, rows) + measured(found) if rows else ""


def lengths() -> str:
    """Presets and the defaults, all seeds."""
    names = ("tmaze-100", "tmaze-1000", "tmaze-20000", "tmaze-1000-joint", "gym-cue_env-Cue-v0")
    found = [(n, load(f"acceptance-{n}")) for n in names]
    rows = [_acceptance(f["command"], f["results"]) for _, f in found if f]
    if not rows:
        return ""
    head = (
        "command",
        "seeds at 99 % or more",
        "lowest success",
        "wall clock, median (longest)",
        "memory updates",
        "environment steps: collected + policy",
    )
    return table(head, rows) + measured(next(f for _, f in found if f))


def _acceptance(command: str, results: list[dict]) -> tuple:
    good = sum((r.get("success_rate") or 0) >= 0.99 for r in results)
    walls = [r["wall_s"] for r in results if "error" not in r]

    lowest = min(r.get("success_rate", 0.0) for r in results)
    steps = f"{middle(results, 'collected_env_steps')} + {middle(results, 'policy_env_steps')}"
    time = f"{statistics.median(walls):.0f} s ({max(walls):.0f} s)"
    return (
        f"`{command.removesuffix(' --seed N')}`",
        f"{good} of {len(results)}",
        f"{100 * lowest:.1f} %",
        time,
        middle(results, "memory_updates"),
        steps,
    )


def phases() -> str:
    """Median time of each phase."""
    rows = []
    for name in ("tmaze-100", "tmaze-1000", "tmaze-20000", "tmaze-1000-joint"):
        results = [r for r in load(f"acceptance-{name}").get("results", []) if "phases_s" in r]
        if results:
            times = {
                p: statistics.median(r["phases_s"][p] for r in results)
                for p in results[0]["phases_s"]
            }
            said = ", ".join(f"{p} {t:.0f}" for p, t in times.items())
            rows.append((name, said, f"{max(r['compile_s'] for r in results):.1f}"))
    return table(("preset", "seconds, median", "of these compiling, at most"), rows) if rows else ""


def tasks() -> str:
    """Supervised tasks by MemUP, and by truncated and full back-propagation."""
    rows, found = [], load("tasks")
    for keys, seeds in by(found.get("results", []), "task", "training").items():
        good = [r for r in seeds if "error" not in r]
        real = any("mse" in r for r in good)
        shown = figures(seeds, "mse", "{:.5f}") if real else shares(seeds, "accuracy")
        most = (max((r[n] for r in good), default=0) for n in ("wall_s", "peak_rss_mib"))
        rows.append((*keys, shown, *(f"{value:,.0f}" for value in most)))
    head = ("task", "training", "right (or squared error) by seed", "s, longest", "MiB, most")
    return table(head, rows) + measured(found) if rows else ""
