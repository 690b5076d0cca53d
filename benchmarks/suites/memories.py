"""The memories: speed and size, beside PyTorch, under MemUP, and what made them known."""

from benchmarks.suite import Row, Suite
from benchmarks.words import words
from memup.memories.table import MEMORIES
from memup.specs.presets.zoo import ZOO

THREE = (0, 1, 2)

ALONE = tuple(Row({"name": name}, {"seconds": 5.0}, "memories") for name in MEMORIES)
_AIMS = {"lstm": 1, "gru": 1, "window-transformer": 1, "dnc": 5, "ntm": 5, "rim": 5}
BESIDE = tuple(
    Row({"name": name}, {"rounds": 6, "seconds": 3.0, "aim": float(aim)}, "memories_torch")
    for name, aim in _AIMS.items()
)
TRAINED = tuple(
    Row({"memory": memory}, [f"{maze}-{memory}"], f"zoo-{maze}", THREE)
    for maze in sorted(ZOO)
    for memory in ZOO[maze]
)

# T-Maze with noise, 100 steps, by recurrent PPO without MemUP: back-propagation through a rollout
# of one episode. "gates spread" is memup's own initialisation of LSTM gates.
_COMMON = (
    "--env tmaze-ln-100 --training end-to-end --agent.rollout 101 --agent.hidden 32 "
    "--agent.steps 2000000"
)
_TRUE = "--memory.timescale 0 --memory.straight_through no"
_AMRL = {
    "amrl-max": "--memory amrl-max --memory.timescale 0",
    "amrl-avg": "--memory amrl-avg --memory.timescale 0",
    "amrl-max, true gradient": f"--memory amrl-max {_TRUE}",
    "amrl-avg, true gradient": f"--memory amrl-avg {_TRUE}",
    "lstm": "--memory lstm --memory.timescale 0",
    "lstm, gates spread": "--memory lstm",
}
AMRL = tuple(
    Row({"name": name}, words(f"{_COMMON} {given}"), "headline-amrl", THREE)
    for name, given in _AMRL.items()
)
HEADLINES = tuple(
    Row({"system": system}, {"task": task}, f"headline-{task}", THREE)
    for task in ("ntm", "dnc", "rim")
    for system in (task, "lstm")
)
BIGBIRD = (
    *(
        Row({"part": "cost", "kind": kind, "steps": n}, {"repeats": max(5, 65536 // n)}, "bigbird")
        for kind in ("bigbird", "dense")
        for n in (1024, 2048, 4096, 8192)
    ),
    *(
        Row({"part": "needle", "kind": kind}, {}, "bigbird", THREE)
        for kind in ("bigbird", "window")
    ),
)

SUITES = (
    Suite("memories", "speed, size, compile time and memory of each", "memories:alone", ALONE),
    Suite("memories-torch", "beside PyTorch (--rival PATH)", "memories:beside_torch", BESIDE),
    Suite("zoo", "every memory trained by MemUP", "training:train", TRAINED),
    Suite("headline-amrl", "AMRL's own task", "training:train", AMRL),
    Suite("headlines", "what made NTM, DNC and RIM known", "headlines:measure", HEADLINES),
    Suite("bigbird", "cost beside dense attention, and a needle", "bigbird:measure", BIGBIRD),
)
