"""MemUP on mazes: presets, very long and very noisy ones, length, and one change at a time."""

from benchmarks.suite import SOLVED, Bound, Row, Suite
from benchmarks.words import changed, words
from memup.specs.presets.long import LONG_PRESETS

THREE, TEN = (0, 1, 2), tuple(range(10))
TRAIN = "training:train"

ACCEPTANCE = (
    Row({}, words("tmaze-100"), "acceptance-tmaze-100", TEN, SOLVED),
    Row({}, words("tmaze-1000"), "acceptance-tmaze-1000", TEN, SOLVED),
    Row({}, words("tmaze-1000-joint"), "acceptance-tmaze-1000-joint", TEN, SOLVED),
    Row({}, words("tmaze-20000"), "acceptance-tmaze-20000", THREE, SOLVED),
    # No preset, all defaults.
    Row({}, words("--env gym:cue_env:Cue-v0"), "acceptance-gym-cue_env-Cue-v0", THREE, SOLVED),
)

# The paper's choices beside ours: its authors' detector, and targets by score alone. They may make
# as many updates as the preset that they change.
_NOISY = ("tmaze-distractors-5-lnr-1000", "tmaze-distractors-20-lnr-1000")
_PAPER = {
    "surprise": {"method.detector": "surprise", "method.selector": "top-k+current"},
    "entropy, top-k": {"method.selector": "top-k"},
}
FRONTIER = (
    # The same program on short episodes.
    Row({"task": "tmaze-1000"}, words("tmaze-100000 --env tmaze-1000"), "frontier", THREE, SOLVED),
    *(Row({"task": name}, [name], "frontier", THREE, SOLVED) for name in LONG_PRESETS),
    *(
        Row({"task": f"{name}, {label}"}, words(name, fields), "frontier", THREE)
        for name in _NOISY
        for label, fields in _PAPER.items()
    ),
)

# The same network everywhere, acting by what the predictor expects, on episodes that are all L
# steps long; a control may make as many updates as MemUP. Full back-propagation is one window over
# the whole episode. TODO: mazes are of random length, and `sequential` windows of one length drift
# apart from their episodes; the row waits for an order that begins every window with an episode.
LENGTHS = (100, 1000, 10_000, 100_000, 1_000_000)
_METHODS = {
    "MemUP, jump": (LENGTHS, {"method.order": "jump"}),
    "MemUP, staggered": (LENGTHS[:4], {"method.order": "staggered"}),
    "truncated BPTT": (
        LENGTHS[:3],
        {"method.order": "staggered", "method.selector": "current"},
    ),
}
SCALING = tuple(
    Row(
        {"method": method, "length": str(length)},
        changed(
            words(f"tmaze-100000 --env tmaze-{length}"),
            {"method.window": 20, "evaluate.episodes": 64, **fields},
        ),
        "scaling",
        (0,),
    )
    for method, (lengths, fields) in _METHODS.items()
    for length in lengths
)

_TWO_TASKS = ("tmaze-1000", "tmaze-distractors-5-lnr-1000")
_BASE = {
    "collect.episodes": 2000,
    "collect.environments": 256,
    "method.updates": 4000,
    "evaluate.episodes": 256,
    "method.order": "jump",
}
_CHANGES: dict[str, dict[str, object]] = {
    "none": {},
    "detector quantile": {"method.detector": "quantile"},
    "detector surprise": {"method.detector": "surprise"},
    "detector oracle": {"method.detector": "oracle"},
    "selector top-k": {"method.selector": "top-k"},
    "selector temperature": {"method.selector": "temperature"},
    "selector uniform": {"method.selector": "uniform"},
    "selector current (truncated BPTT)": {"method.selector": "current"},
    "no old rows": {"method.order.long_rows": 0},
    "8 visits": {"method.order.segments": 8},
    "order staggered": {"method.order": "staggered"},
    "order sequential": {"method.order": "sequential"},
    "K = 3": {"method.targets": 3},
    "K = 10": {"method.targets": 10},
    "r = 5": {"method.window": 5},
    "r = 50": {"method.window": 50},
}
ABLATION = tuple(
    Row(
        {"task": task, "change": change},
        words(f"tmaze-100000 --env {task}", {**_BASE, **fields}),
        "ablation",
        (0,),
    )
    for change, fields in _CHANGES.items()
    for task in _TWO_TASKS
)

# By the defaults alone, on two cores: in a quarter of an hour, in 4 GB, with less than 1 GB stored.
IMAGES = (
    Row(
        {"task": "image-cue-200"},
        words("--env image-cue-200"),
        "images",
        (0,),
        (
            Bound("success_rate", least=0.95),
            Bound("wall_s", most=900),
            Bound("peak_rss_mib", most=4096),
            Bound("store_mib", most=953),
        ),
    ),
)

SUITES = (
    Suite("acceptance", "presets and the defaults, 0.99 in every seed", TRAIN, ACCEPTANCE),
    Suite("frontier", "a million steps, twenty coins, the paper's choices", TRAIN, FRONTIER),
    Suite("scaling", "time and memory over the length of the dependency", TRAIN, SCALING),
    Suite("images", "a cue in one early image, by the defaults", TRAIN, IMAGES),
    Suite("ablation", "one thing of the method changed at a time", TRAIN, ABLATION),
)
