"""The rows of the table of agents, from benchmarks/results/agents.json."""

HEAD = (
    "system",
    "steps of the maze",
    "gradient window",
    "success, mean [95 %]",
    "seeds at 95 %",
    "environment steps to 95 %",
    "updates to 95 %",
    "time to 95 %",
    "steps used",
    "stopped by",
)


def rows(results: list[dict]) -> list[tuple]:
    """Return a row a cell, by length, then as measured."""
    return [_row(r) for r in sorted(results, key=lambda r: r["length"])]


def _row(r: dict) -> tuple:
    reached = [i for i, steps in enumerate(r["steps_to_95"]) if steps is not None]
    said = ""
    if r["success_rate"] is not None:
        low, high = r["success_ci95"]
        said = f"{100 * r['success_rate']:.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    slowest = lambda name: max(r[name][i] for i in reached) if reached else None  # noqa: E731
    steps, updates, wall = (slowest(n) for n in ("steps_to_95", "updates_to_95", "wall_to_95_s"))
    return (
        f"`{r['system']}`",
        f"{r['length']:,}",
        f"{r['window']:,}",
        said,
        f"{len(reached)} of {len(r['seeds'])}",
        "" if steps is None else f"{steps:,}",
        "" if updates is None else f"{updates:,}",
        "" if wall is None else f"{wall:.0f} s",
        f"{r['env_steps']:,}",
        r["stopped"],
    )
