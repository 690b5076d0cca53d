"""The rows of the tables of agents, from benchmarks/results/agents*.json."""

from collections.abc import Callable

from benchmarks.render.markdown import by, load, percent, table

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
SEARCH = ("system", "steps of the maze", "tried: seeds at 95 %, the slowest one's steps")
ELSEWHERE = (
    "system",
    "environment",
    "success, mean [95 %]",
    "return by seed",
    "seeds at 95 %",
    "environment steps to 95 %",
    "steps used",
    "time",
    "stopped by",
)


def machines(results: list[dict]) -> str:
    """Say on what the cells were measured."""
    kinds = {(r.get("cores", r.get("processors")), r["machine"]): None for r in results}
    return "; ".join(f"{n} core{'s' * (n > 1)} of {name} a cell" for n, name in kinds)


def rows(results: list[dict]) -> list[tuple]:
    """Return a row a cell, by length, then as measured."""
    return [_row(r) for r in sorted(results, key=lambda r: r["length"])]


def _row(r: dict) -> tuple:
    steps, updates, wall = (slowest(r, n) for n in ("steps_to_95", "updates_to_95", "wall_to_95_s"))
    return (
        f"`{r['system']}`",
        f"{r['length']:,}",
        f"{r['window']:,}",
        _success(r),
        _reached(r),
        "" if steps is None else f"{steps:,}",
        "" if updates is None else f"{updates:,}",
        "" if wall is None else f"{wall:.0f} s",
        f"{r['env_steps']:,}",
        r["stopped"],
    )


def search(results: list[dict]) -> list[tuple]:
    """Return a row for each system and length: what each value came to."""
    groups = by(sorted(results, key=lambda r: r["length"]), "system", "length")
    return [(f"`{s}`", n, "; ".join(map(_tried, cells))) for (s, n), cells in groups.items()]


def _tried(r: dict) -> str:
    value, steps = next(iter(r["tried"].values())), slowest(r, "steps_to_95")
    return f"{value:g}: {_reached(r)}" + ("" if steps is None else f", {steps:,}")


def elsewhere(results: list[dict]) -> list[tuple]:
    """Return a row a cell of other environments."""
    return [_elsewhere(r) for r in sorted(results, key=lambda r: r["env"])]


def _elsewhere(r: dict) -> tuple:
    steps = slowest(r, "steps_to_95")
    return (
        f"`{r['system']}`",
        f"`{r['env']}`",
        _success(r),
        ", ".join("not judged" if x is None else f"{x:.1f}" for x in r["returns"]),
        _reached(r),
        "" if steps is None else f"{steps:,}",
        f"{r['env_steps']:,}",
        f"{r['wall_s']:.0f} s",
        r["stopped"],
    )


def _success(r: dict) -> str:
    return "" if r["success_rate"] is None else percent(r)


def _reached(r: dict) -> str:
    return f"{sum(s is not None for s in r['steps_to_95'])} of {len(r['seeds'])}"


def slowest(r: dict, name: str) -> float | None:
    """Return a figure of the slowest seed that reached 95 %."""
    reached = [value for value in r[name] if value is not None]
    return max(reached) if reached else None


def agents() -> str:
    """Agents side by side over the length of the maze."""
    return _cells(HEAD, rows, "agents")


def agents_search() -> str:
    """The rates tried for each agent."""
    return _cells(SEARCH, search, "agents-search")


def agents_second() -> str:
    """Agents in mazes without an end, and in the memory game."""
    return _cells(ELSEWHERE, elsewhere, "agents-second")


def agents_cartpole() -> str:
    """Agents on cart and pole."""
    return _cells(ELSEWHERE, elsewhere, "agents-cartpole")


def _cells(head: tuple[str, ...], made: Callable[[list[dict]], list[tuple]], name: str) -> str:
    found = load(name)
    if not found:
        return ""
    cells = found["results"]
    return table(head, made(cells)) + f"\n{machines(cells)}; {found['date']}.\n"
