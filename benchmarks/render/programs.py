"""The tables of the program itself: demo, detectors, speed, start-up, memory, kills."""

from collections.abc import Iterator

from benchmarks.render.markdown import by, load, measured, percent, table


def demo() -> str:
    """MemUP beside its controls."""
    found = load("demo")
    if not found:
        return ""
    runs = found["results"][0]
    rows = [
        (
            r["name"],
            percent(r),
            f"{r['return_mean']:.2f}",
            f"{r['episodes']:,}",
            f"{r['wall_s']:.0f} s",
        )
        for r in runs["runs"]
    ]
    head = ("agent", "success [95 %]", "mean return", "fresh episodes", "time")
    return table(head, rows) + f"\nAll of it in {runs['wall_s']:.0f} s." + measured(found)


def detectors() -> str:
    """How often the junction is ranked first."""
    found = load("detectors")
    if not found:
        return ""
    rows = [
        (
            r["env"],
            r["detector"],
            f"{100 * r['junction_first']:.1f} %",
            f"{100 * r['a_signalled_step_first']:.1f} %",
            f"{r['mean_score_junction']:.3g}",
            f"{r['mean_score_all_signalled']:.3g}",
            f"{r['mean_score_elsewhere']:.2g}",
        )
        for r in found["results"]
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
            sizes[r["program"].split("-")[0]],
            asked[r["program"].split("-")[1]],
            f"{r['memup_sequence_steps_per_s']:,}",
            f"{r.get('torch_sequence_steps_per_s', 0):,}",
            f"{r.get('ratio', float('nan')):.2f}",
            f"{100 * r['share_of_sgemm']:.0f} %",
            f"{r['compile_s']:.1f} s",
        )
        for r in found["results"]
        if r["program"] != "environment"
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
    played = next(r for r in found["results"] if r["program"] == "environment")
    rate = played["environment_steps_per_s"] / 1e6
    more = f"\nRandom play in `tmaze-1000` on the device: {rate:.1f} million steps a second.\n"
    return table(head, rows) + more + measured(found)


def recurrent_ppo() -> str:
    """Recurrent PPO beside sb3-contrib's."""
    found = load("recurrent_ppo")
    if not found:
        return ""
    parts = by(found["results"], "part")
    shown = ("memup_env_steps_per_s", "sb3_env_steps_per_s")
    rows = [
        (f"LSTM {r['size']}", *(f"{r[n]:,.0f}" for n in shown), f"{r['ratio']:.1f}")
        for r in parts["sb3"]
    ]
    head = ("memory", "memup, steps a second", "sb3-contrib, steps a second", "ratio")
    s = parts["seeds"][0]
    more = (
        f"\n{s['seeds']} seeds, LSTM {s['size']}: {s['ratio']:.1f} times one's time by `vmap`, "
        f"{s['ratio_shared']:.1f} times where each processor goes through a share of them.\n"
    )
    return table(head, rows) + more + measured(found)


def resources() -> str:
    """Memory, start-up and kills."""
    rows = []
    if peak := load("peak_memory"):
        r = by(peak["results"], "length")
        low, high = (min(x["peak_rss_mib"] for x in r[n]) for n in (1000, 20_000))
        rows.append(
            ("peak memory of memory training at L = 1,000 and 20,000", f"{low} and {high} MiB")
        )
    if start := load("start_up"):
        rows += [(f"start-up: {n.replace('_', ' ')}", v) for n, v in _times(start)]
    if kills := load("kills"):
        for r in kills["results"]:
            said = f"{len(r['killed_at'])} kills, {len(r['differences'])} differences"
            rows.append((f"SIGKILL at random moments, {r['training']}", said))
    return table(("what", "measured"), rows) if rows else ""


def _times(start: dict) -> Iterator[tuple[str, float]]:
    names = ("help_s", "first_start_s", "second_start_s", "faster_by")
    yield from ((name, start["results"][0][name]) for name in names)
