"""Write the tables of README.md and docs/results.md from benchmarks/results/*.json.

    python benchmarks/tables.py [--check]

A table stands between `<!-- RESULTS name -->` and `<!-- /RESULTS name -->`; what is not measured
stays empty.
"""

import argparse
import re
import statistics
from collections.abc import Callable
from pathlib import Path

import agents_table
import frontier_table
from markdown import by, load, measured, middle, percent, shares, table
from memory_tables import amrl, bigbird, headlines, memories, memories_torch, zoo

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "docs" / "results.md")
BLOCK = re.compile(r"(<!-- RESULTS (\S+) -->\n).*?(<!-- /RESULTS \2 -->)", re.S)


def demo() -> str:
    """MemUP beside its controls."""
    found = load("demo")
    if not found:
        return ""
    rows = [
        (
            r["name"],
            percent(r),
            f"{r['return_mean']:.2f}",
            f"{r['episodes']:,}",
            f"{r['wall_s']:.0f} s",
        )
        for r in found["results"]
    ]
    head = ("agent", "success [95 %]", "mean return", "fresh episodes", "time")
    return table(head, rows) + f"\nAll of it in {found['wall_s']:.0f} s." + measured(found)


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


def detectors() -> str:
    """How often the junction is ranked first."""
    found = load("detectors")
    if not found:
        return ""
    rows = [
        (
            env,
            name,
            f"{100 * r['junction_first']:.1f} %",
            f"{100 * r['a_signalled_step_first']:.1f} %",
            f"{r['mean_score_junction']:.3g}",
            f"{r['mean_score_all_signalled']:.3g}",
            f"{r['mean_score_elsewhere']:.2g}",
        )
        for env, by in found["results"].items()
        for name, r in by.items()
    ]
    head = (
        "environment",
        "detector",
        "junction ranked first",
        "a signalled step ranked first",
        "score: junction",
        "all signalled steps",
        "elsewhere",
    )
    return table(head, rows) + measured(found)


def speed() -> str:
    """Training speed beside PyTorch."""
    return _speed("speed")


def speed_gpu() -> str:
    """The same on a GPU."""
    return _speed("speed-gpu")


def _speed(name: str) -> str:
    found = load(name)
    if not found:
        return ""
    sizes = {"lstm64": "LSTM 64, predictor 128", "lstm256": "LSTM 256, predictor 512"}
    asked = {"every": "every step", "last": "the last step"}
    rows = [
        (
            sizes[name.split("-")[0]],
            asked[name.split("-")[1]],
            f"{r['memup_sequence_steps_per_s']:,}",
            f"{r.get('torch_sequence_steps_per_s', 0):,}",
            f"{r.get('ratio', float('nan')):.2f}",
            f"{100 * r['share_of_sgemm']:.0f} %",
            f"{r['compile_s']:.1f} s",
        )
        for name, r in found["results"].items()
        if isinstance(r, dict)
    ]
    head = (
        "sizes",
        "predictions from",
        "memup, sequence steps/s",
        "PyTorch",
        "ratio",
        "of the matrix-multiply speed",
        "compile",
    )
    rate = found["results"]["environment_steps_per_s"] / 1e6
    more = f"\nRandom play in `tmaze-1000` on the device: {rate:.1f} million steps a second.\n"
    return table(head, rows) + more + measured(found)


def tasks() -> str:
    """Supervised tasks by MemUP, and by truncated and full back-propagation."""
    rows, found = [], load("tasks")
    for keys, seeds in by(found.get("results", []), "task", "training").items():
        good = [r for r in seeds if "error" not in r]
        shown = ", ".join(f"{r['mse']:.5f}" for r in good if "mse" in r)
        most = (f"{max(r[n] for r in good):,.0f}" for n in ("wall_s", "peak_rss_mib"))
        rows.append((*keys, shown or shares(good, "accuracy"), *most))
    head = ("task", "training", "right (or squared error) by seed", "s, longest", "MiB, most")
    return table(head, rows) + measured(found) if rows else ""


def agents() -> str:
    """Agents side by side over the length of the maze."""
    return _cells(agents_table.HEAD, agents_table.rows, "agents")


def agents_search() -> str:
    """The rates tried for each agent."""
    return _cells(agents_table.SEARCH, agents_table.search, "agents-search")


def agents_second() -> str:
    """Agents in mazes without an end, and in the memory game."""
    return _cells(agents_table.ELSEWHERE, agents_table.elsewhere, "agents-second")


def agents_cartpole() -> str:
    """Agents on cart and pole."""
    return _cells(agents_table.ELSEWHERE, agents_table.elsewhere, "agents-cartpole")


def _cells(head: tuple[str, ...], rows: Callable[[list[dict]], list[tuple]], name: str) -> str:
    found = load(name)
    if not found:
        return ""
    cells = found["results"]
    return table(head, rows(cells)) + f"\n{agents_table.machines(cells)}; {found['date']}.\n"


def recurrent_ppo() -> str:
    """Recurrent PPO beside sb3-contrib's."""
    found = load("recurrent_ppo")
    if not found:
        return ""
    shown = ("memup_env_steps_per_s", "sb3_env_steps_per_s")
    rows = [
        (f"LSTM {r['size']}", *(f"{r[n]:,.0f}" for n in shown), f"{r['ratio']:.1f}")
        for r in found["results"]["sb3"]
    ]
    head = ("memory", "memup, steps a second", "sb3-contrib, steps a second", "ratio")
    s = found["results"]["seeds"]
    more = (
        f"\n{s['seeds']} seeds, LSTM {s['size']}: {s['ratio']:.1f} times one's time by `vmap`, "
        f"{s['ratio_shared']:.1f} times where each processor goes through a share of them.\n"
    )
    return table(head, rows) + more + measured(found)


def frontier() -> str:
    """Very long and very noisy mazes."""
    found = load("frontier")
    rows = frontier_table.frontier(found.get("results", []))
    return table(frontier_table.FRONTIER, rows) + measured(found) if rows else ""


def extrapolation() -> str:
    """Judged on mazes longer than any that were trained on."""
    found = load("extrapolation")
    rows = frontier_table.extrapolation(found.get("results", []))
    return table(frontier_table.EXTRAPOLATION, rows) + measured(found) if rows else ""


def ablation() -> str:
    """The method with one thing changed at a time."""
    found = load("ablation")
    rows = frontier_table.ablation(found.get("results", []))
    return table(frontier_table.ABLATION, rows) + measured(found) if rows else ""


def resources() -> str:
    """Memory, start-up and kills."""
    rows = []
    if peak := load("peak_memory"):
        r = peak["results"]
        low, high = (min(x["peak_rss_mib"] for x in r[n]) for n in ("1000", "20000"))
        rows.append(
            ("peak memory of memory training at L = 1,000 and 20,000", f"{low} and {high} MiB")
        )
    if start := load("start_up"):
        rows += [(f"start-up: {n.replace('_', ' ')}", v) for n, v in start["results"].items()]
    if kills := load("kills"):
        for r in kills["results"]:
            said = f"{len(r['killed_at'])} kills, {len(r['differences'])} differences"
            rows.append((f"SIGKILL at random moments, {r['training']}", said))
    return table(("what", "measured"), rows) if rows else ""


def blanks() -> str:
    """What every memory recalls over ten and a hundred times as many blanks."""
    found = load("blanks")
    rows = frontier_table.blanks(found.get("results", []))
    return table(frontier_table.BLANKS, rows) + measured(found) if rows else ""


TABLES: dict[str, Callable[[], str]] = {
    f.__name__: f
    for f in (
        demo,
        lengths,
        phases,
        detectors,
        speed,
        speed_gpu,
        memories,
        memories_torch,
        zoo,
        frontier,
        extrapolation,
        blanks,
        ablation,
        tasks,
        agents,
        agents_search,
        agents_second,
        agents_cartpole,
        recurrent_ppo,
        amrl,
        headlines,
        bigbird,
        resources,
    )
}


def fill(text: str) -> str:
    """Put the tables into a page."""
    return BLOCK.sub(lambda m: m.group(1) + TABLES[m.group(2)]() + m.group(3), text)


def main() -> None:
    """Write the pages, or fail with --check if they are not up to date."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    for page in PAGES:
        new = fill(page.read_text())
        if args.check and new != page.read_text():
            raise SystemExit(f"{page}: run python benchmarks/tables.py")
        page.write_text(new)


if __name__ == "__main__":
    main()
