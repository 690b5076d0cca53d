"""Supervised tasks by MemUP and by its controls, and copies over very many blanks."""

from benchmarks.suite import Row, Suite
from benchmarks.words import changed, words
from memup.specs.general import GENERAL
from memup.specs.presets.tasks import TASK_PRESETS
from memup.tasks.table import make_task

THREE = (0, 1, 2)
# Every step asks for itself; all else is as in the preset: the same network, data, rows, dropout.
_NOW = {"method.selector": "current", "method.query_stride": 1, "method.targets": 1}
# Full back-propagation makes at most as many updates as MemUP, and no more than take four times as
# long as MemUP's memory does (an update reads whole sequences), by the speeds last measured.
_BPTT_UPDATES = {
    "copy-100": 9000,
    "copy-1000": 600,
    "copy-5000": 1300,
    "scattered-copy-1000": 3700,
    "adding-1000": 800,
    "selective-recall-10000": 130,
    "permuted-pixels": 2200,
}


def controls(preset: str) -> dict[str, dict[str, object]]:
    """Return what the controls of a preset change.

    tbptt: truncated back-propagation over whole sequences from start to end, as many updates.
    tbptt, same windows: the windows that MemUP reads, which may be put together from rare steps.
    bptt: full back-propagation. All sequences are as long, so that windows of just this length,
    read one after the other, each hold one whole sequence.
    """
    fields = TASK_PRESETS[preset]()
    walks = {"method.events": 0} if "method.events" in fields else {}
    made = {"tbptt": {**_NOW, **walks, "method.order": "staggered"}}
    if fields.get("method.order", GENERAL["method.order"].default) == "jump":
        made["tbptt, same windows"] = dict(_NOW)
    if preset in _BPTT_UPDATES:
        made["bptt"] = {
            **_NOW,
            **walks,
            "method.order": "sequential",
            "method.window": make_task(fields["task"]).steps,
            "method.updates": _BPTT_UPDATES[preset],
            "method.updates_per_call": 5,
        }
    return made


TASKS = tuple(
    Row(
        {"task": preset, "training": training},
        changed(words(preset), fields),
        "tasks",
        THREE,
    )
    for preset in sorted(TASK_PRESETS)
    for training, fields in {"memup": {}, **controls(preset)}.items()
)

# Each memory twice, on sequences that all have ten thousand blanks: reading every step, with the
# settings of the preset `copy-1000`, about as many numbers in its state and time scales as long as
# the task; and reading events only, as the preset `copy-10000` does.
_EVERY_STEP = {
    "collect.episodes": 10_000,
    # A single step of some memories is slow; of what is not learned the best model is judged.
    "method.order.burn_in": 0,
    "method.patience": 20,
}
_CELLS = {"memory.size": 192, "memory.timescale": 10_000}
_LINEAR = {"memory.size": 128, "memory.timescale": 1e6}
_SLOTS = {"memory.timescale": 10_000}
_SHORT = {"method.updates": 1500}
_READING_ALL: dict[str, dict[str, object]] = {
    "amrl-max": {},
    "amrl-avg": _CELLS,
    "lstm": _CELLS,
    "gru": _CELLS,
    "rim": _CELLS,
    "s6": _LINEAR,
    "lru": _LINEAR,
    "ffm": _LINEAR,
    "gated-deltanet": _LINEAR,
    "fwp": {"memory.size": 128},
    "dnc": _SLOTS,
    "ntm": _SLOTS,
    "rmt": _SLOTS,
    "window-transformer": {},
    "gtrxl": _SHORT,
    "bigbird": _SHORT,
    "rnn": {},
}
# A Transformer that reads single steps is slow, and learns from fewer updates.
_TRANSFORMERS = ("window-transformer", "gtrxl", "bigbird")
# Fresh sequences at each number of blanks, and for what is slow.
_SEQUENCES = {"10000": 256, "100000": 64, "1000000": 64}
_FEW = {"10000": 64, "100000": 16, "1000000": 4}


def _blanks(label: str, memory: str, given: list[str], fields: dict[str, object]) -> Row:
    few = label in ("gtrxl", "bigbird")
    spec = {
        "words": changed(given, {"memory": memory, **fields}),
        "sequences": _FEW if few else _SEQUENCES,
    }
    return Row({"memory": label}, spec, "blanks")


BLANKS = (
    *(
        _blanks(name, name, words("copy-1000 --task copy-10000", _EVERY_STEP), fields)
        for name, fields in _READING_ALL.items()
    ),
    *(
        _blanks(f"{name}, events", name, ["copy-10000"], _SHORT if name in _TRANSFORMERS else {})
        for name in _READING_ALL
    ),
)

SUITES = (
    Suite("tasks", "supervised tasks beside truncated and full BPTT", "training:train", TASKS),
    Suite("blanks", "copies over a million blanks by every memory", "blanks:judge", BLANKS),
)
