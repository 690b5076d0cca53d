"""The tables of the memories: sizes and speed, MemUP's maze, what made them known."""

from benchmarks.render.markdown import by, cell, load, measured, middle, shares, table


def memories() -> str:
    """Every memory: speed, size, compile time, peak memory."""
    found = load("memories")
    if not found:
        return ""
    rows = [
        (
            f"`{r['name']}`",
            f"{r['sequence_steps_per_s']:,}",
            f"{r['parameters']:,}",
            f"{r['state_numbers']:,}",
            f"{r['compile_s']:.1f} s",
            f"{r['peak_mib']} MiB",
        )
        for r in found["results"]
    ]
    head = ("memory", "sequence steps/s", "parameters", "numbers in its state", "compile", "peak")
    return table(head, rows) + measured(found)


def zoo() -> str:
    """Every memory trained by MemUP."""
    mazes = ("tmaze-100", "tmaze-1000")
    found = {maze: load(f"zoo-{maze}") for maze in mazes}
    cells = {maze: by(f["results"], "memory") for maze, f in found.items() if f}
    names = dict.fromkeys(name for by in cells.values() for name in by)
    rows = [
        (f"`{name}`", *(x for by in cells.values() for x in cell(by.get(name, []))))
        for name in names
    ]
    if not rows:
        return ""
    head = [x for maze in cells for x in (f"{maze}: success by seed", "wall clock, longest")]
    return table(["memory", *head], rows) + measured(next(f for f in found.values() if f))


def amrl() -> str:
    """AMRL's headline."""
    found = load("headline-amrl")
    if not found:
        return ""
    rows = [
        (name, *cell(seeds), middle(seeds, "policy_env_steps"))
        for name, seeds in by(found["results"], "name").items()
    ]
    head = ("memory", "success by seed", "wall clock, longest", "environment steps, median")
    return table(head, rows) + measured(found)


def headlines() -> str:
    """What made NTM, DNC and RIM known, each beside an LSTM."""
    rows, last = [], {}
    for name, measure in (("ntm", "right"), ("dnc", "right"), ("rim", "cross_entropy")):
        last = load(f"headline-{name}") or last
        for system, seeds in by(load(f"headline-{name}").get("results", []), "system").items():
            for test in seeds[0]["tests"]:
                of_seeds = [r["tests"][test] for r in seeds]
                nats = ", ".join(f"{r['cross_entropy']:.3f}" for r in of_seeds) + " nats"
                said = f"{shares(of_seeds, measure)} of bits" if measure == "right" else nats
                longest = max(r["wall_s"] for r in seeds)
                size = f"{seeds[0]['parameters']:,}"
                rows.append((name, f"`{system}`", size, test, said, f"{longest:.0f} s"))
    if not rows:
        return ""
    head = ("task of", "memory", "parameters", "tested on", "by seed", "training, longest")
    return table(head, rows) + measured(last)


def bigbird() -> str:
    """Cost of bigbird's encoder, and its needle."""
    parts = by(load("bigbird").get("results", []), "part")
    if not parts:
        return ""
    kinds = by(parts["cost"], "kind")
    rows = [
        (
            f"{a['steps']:,}",
            *(x for r in (a, b) for x in (f"{r['ms']:.0f} ms", f"{r['program_mib']:.0f} MiB")),
        )
        for a, b in zip(kinds["bigbird"], kinds["dense"], strict=True)
    ]
    out = table(("steps", "bigbird, time", "memory", "dense, time", "memory"), rows)
    if "needle" in parts:
        needles = by(parts["needle"], "kind")
        cells = [
            (kind, *(shares(seeds, name) for name in ("accuracy", "accuracy_beyond_window")))
            for kind, seeds in needles.items()
        ]
        head = ("needle in 1,024 steps", "found, by seed", "beyond the window's reach")
        out += "\n" + table(head, cells) + "\nChance is 12.5 %.\n"
    return out + measured(load("bigbird"))


def memories_torch() -> str:
    """Memories beside their counterparts in PyTorch."""
    found = load("memories_torch")
    if not found:
        return ""
    rows = [
        (
            f"`{r['name']}`",
            f"{r['memup_steps_per_s']:,}",
            f"{r['eager_steps_per_s']:,}",
            f"{r['compiled_steps_per_s']:,}" if "compiled_steps_per_s" in r else "fails",
            f"{r['ratio']:.2f}",
            f"{r['ratio_to_eager']:.2f}",
            f"{r['aim']:.0f}",
            f"{r['parameters']:,} and {r['torch_parameters']:,}",
        )
        for r in found["results"]
    ]
    head = (
        "memory",
        "memup, sequence steps/s",
        "PyTorch",
        "compiled",
        "ratio to the faster",
        "ratio to eager",
        "aim",
        "parameters",
    )
    return table(head, rows) + measured(found)
