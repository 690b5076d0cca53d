"""The program as its user starts it: demo, start-up, memory, speed of evaluation, kills."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.render import explained
from benchmarks.suite import Cell

ROOT = Path(__file__).parents[2]
SHORT = ["train", "--env", "tmaze-24", "--quiet", "--method.updates", "50", "--agent.steps", "1"]


def memup(*given: str) -> str:
    """Run the program; return what it prints."""
    command = [sys.executable, "-m", "memup", *given]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def demo(cell: Cell) -> dict:
    """Run `memup demo`; the picture of the method is drawn from its run."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        memup("demo", "--run-dir", folder)
        wall = time.perf_counter() - begin
        runs = [_run(Path(folder) / name) for name in ("memup", "truncated-BPTT", "no-memory")]
        if not cell.quick:
            explained.write(Path(folder) / "memup")
    return {"wall_s": round(wall, 1), "runs": runs}


def _run(run: Path) -> dict:
    row = json.loads((run / "eval.jsonl").read_text().splitlines()[-1])
    last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
    kept = {n: row[n] for n in ("name", "episodes", "success_rate", "success_ci95", "return_mean")}
    return kept | {"wall_s": last["wall_s"]}


def start_up(cell: Cell) -> dict:
    """Time `memup --help`, and the same short run with an empty and a full compilation cache."""
    with tempfile.TemporaryDirectory() as folder:
        help_s = min(_seconds(["--help"], folder) for _ in range(1 if cell.quick else 5))
        runs = [
            _seconds([*SHORT, "--run-dir", f"{folder}/run{number}"], folder)
            for number in range(2 if cell.quick else 3)
        ]
    first, second = runs[0], min(runs[1:])
    found = {"help_s": help_s, "first_start_s": first, "second_start_s": second}
    return {**found, "faster_by": round(first / second, 2)}


def _seconds(given: list[str], cache: str) -> float:
    environment = {**os.environ, "XDG_CACHE_HOME": cache}
    begin = time.perf_counter()
    command = [sys.executable, "-m", "memup", *given]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return round(time.perf_counter() - begin, 2)


def peak_memory(cell: Cell) -> dict:
    """Collect, detect and train with episodes on disk; return the memory phase's peaks in MiB.

    The counter of /proc is set back when the phase begins.
    """
    from memup.build.job import build
    from memup.phases.fit import fit
    from memup.specs.presets import spec

    fields = {
        "env": f"tmaze-{cell.labels['length']}",
        "collect.episodes": 64 if cell.quick else cell.row.spec["episodes"],
        "collect.environments": 64,
        "method.order": "staggered",
        "method.updates": 20 if cell.quick else cell.row.spec["updates"],
        "method.patience": 0,
        "detect.updates": 20 if cell.quick else 200,
    }
    with tempfile.TemporaryDirectory() as folder:
        for event in fit(build(spec(**fields), path=Path(folder) / "store")):
            if event.phase == "detect" and event.last:
                Path("/proc/self/clear_refs").write_text("5")
            if event.phase == "memory" and event.last:
                break
        lines = Path("/proc/self/status").read_text().splitlines()
    pairs = (line.split(":") for line in lines)
    sizes = {n: int(v.split()[0]) // 1024 for n, v in pairs if n in {"VmHWM", "RssAnon"}}
    return {"peak_rss_mib": sizes["VmHWM"], "anonymous_at_end_mib": sizes["RssAnon"]}


def evaluation_speed(cell: Cell) -> dict:
    """Train on short mazes, acting `greedy`, then play fresh long ones. Compiling counts."""
    import memup as package

    more = {"method.updates": 20, "collect.episodes": 64} if cell.quick else {}
    length = 1000 if cell.quick else cell.labels["length"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        package.train(package.preset(cell.row.spec["preset"], agent="greedy", **more), path)
        row = package.evaluate(path, env=f"tmaze-{length}", episodes=cell.labels["batch"])
    return {n: row[n] for n in ("success_rate", "steps_per_second")}


def kills(cell: Cell) -> dict:
    """Kill a run at random moments, go on each time, compare with an unbroken one."""
    script = ROOT / "tests" / "killing.py"
    count = 1 if cell.quick else cell.row.spec["kills"]
    command = [sys.executable, str(script), "--json", "--kills", str(count)]
    command += ["--training", cell.labels["training"]]
    out = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    found = json.loads(out.stdout.strip().splitlines()[-1])["results"][0]
    return {**found, "different": len(found["differences"])}


def extrapolation(cell: Cell) -> dict:
    """Train, then judge the same network on longer mazes; `steps_per_second` is of all episodes."""
    labels = cell.labels
    env, episodes = labels["env"], cell.row.spec["episodes"]
    trained, short = labels["trained"], ["--evaluate.episodes", "16", "--quiet"]
    if cell.quick:
        env, episodes, trained = "tmaze-2000", 4, "tmaze-100"
        short += ["--method.updates", "20", "--agent", "greedy"]
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        memup("train", trained, "--seed", str(labels["seed"]), "--run-dir", run, *short)
        found = json.loads(memup("eval", run, "--env", env, "--episodes", f"{episodes}", "--json"))
    return {name: found[name] for name in found if name not in ("run", "name", "seed", "env")}
