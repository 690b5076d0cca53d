"""The program itself: its demo, start-up, memory and speed, kills, what the detectors find."""

from benchmarks.suite import Bound, Row, Suite
from benchmarks.words import words

SIZES = ("lstm64-every", "lstm64-last", "lstm256-every", "lstm256-last")

DEMO = (
    Row(
        {"command": "memup demo"},
        words("demo"),
        "demo",
        must=(
            Bound("runs.0.success_rate", least=0.99),
            Bound("runs.1.success_rate", most=0.6),
            Bound("runs.2.success_rate", most=0.6),
        ),
    ),
)
START_UP = (Row({"what": "start-up"}, {"times": 5}, "start_up", must=(Bound("help_s", most=1.0),)),)
# Pages of the store that were read are resident too: as many stored steps at both lengths.
PEAK_MEMORY = tuple(
    Row({"length": length}, {"episodes": episodes, "updates": 1000}, "peak_memory", (0, 1))
    for length, episodes in ((1000, 2560), (20_000, 128))
)
EVALUATION_SPEED = tuple(
    Row({"batch": batch, "length": 100_000}, {"preset": "tmaze-100"}, "evaluation_speed")
    for batch in (64, 256)
)
KILLS = tuple(
    Row({"training": training}, {"kills": 20}, "kills", must=(Bound("different", most=0),))
    for training in ("two-phase", "joint", "end-to-end")
)
# On Noisy T-Maze the junction is the one uncertain outcome. On `tmaze-distractors` five steps
# before it pay at random: they are as uncertain, and no memory can explain them.
DETECTORS = tuple(
    Row({"env": env, "detector": detector}, {"episodes": episodes}, "detectors")
    for env, episodes in (("tmaze-1000", 512), ("tmaze-distractors-5-lnr-100", 1000))
    for detector in ("entropy", "quantile", "surprise")
)
# Trained on mazes of a million steps (7 GB on disk), judged on longer ones without learning there.
EXTRAPOLATION = (
    Row(
        {"trained": "tmaze-1000000", "seed": 0, "env": "tmaze-100000000"},
        {"episodes": 16},
        "extrapolation",
        must=(Bound("success_rate", least=0.99),),
        limit_s=14_400,
    ),
)
SPEED = (
    *(Row({"program": name}, {"rounds": 3, "seconds": 4.0}, "speed") for name in SIZES),
    Row({"program": "environment"}, {"seconds": 4.0}, "speed"),
)
LSTM_KERNEL = tuple(Row({"program": name}, {"rounds": 20}, "lstm_kernel") for name in SIZES)
# A memory each for actor and critic beside sb3-contrib's; and 16 seeds beside one.
RECURRENT_PPO = (
    Row({"part": "seeds"}, {"size": 32, "seeds": 16, "rounds": 3}, "recurrent_ppo"),
    *(Row({"part": "sb3", "size": n}, {"rounds": 2}, "recurrent_ppo") for n in (64, 256)),
)

SUITES = (
    Suite("demo", "memup demo: MemUP beside its controls", "programs:demo", DEMO),
    Suite("start-up", "help, a first start and a second one", "programs:start_up", START_UP),
    Suite("peak-memory", "of training at two lengths", "programs:peak_memory", PEAK_MEMORY),
    Suite("evaluation-speed", "steps a second", "programs:evaluation_speed", EVALUATION_SPEED),
    Suite("kills", "killed twenty times, and the same numbers", "programs:kills", KILLS),
    Suite("detectors", "how often the junction is ranked first", "detectors:scores", DETECTORS),
    Suite("extrapolation", "a hundred million steps", "programs:extrapolation", EXTRAPOLATION),
    Suite("speed", "of an update beside PyTorch (--rival PATH)", "speed:update", SPEED),
    Suite("lstm-kernel", "forms of an update of the LSTM", "lstm_kernel:speeds", LSTM_KERNEL),
    Suite("recurrent-ppo", "beside sb3 (--rival PATH)", "recurrent_ppo:measure", RECURRENT_PPO),
)
