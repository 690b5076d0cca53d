"""The memories that exist, by name."""

from memup.core.registry import Entry, Option

INPUT_SIZE = 64
"""Floats a step at which the entries state parameters and state."""

SIZE = Option(64, "units of each layer, the size of the memory's output", low=1, high=65536)
LAYERS = Option(1, "layers, each reading the one below", low=1, high=64)
SLOT_WIDTH = Option(16, "floats of a slot", low=1, high=65536)
CONTROLLER = Option("lstm", "network that drives the heads", choices=("lstm", "feed-forward"))
GATES = Option(200, "if above 1, LSTM gates begin with time scales up to so many steps", low=0)
TIMESCALE = Option(1000.0, "longest time scale at the start, in steps", low=1.0)
KEYS = Option(16, "side of the square matrix of fast weights", low=1, high=4096)

WINDOW = Option(32, "W, steps that a layer looks at, the present one included", low=1, high=65536)
BLOCKS = Option(2, "layers, each looking as far back again", low=1, high=64)
HEADS = Option(4, "attention heads; they divide the size", low=1, high=1024)
AMRL = {
    "size": SIZE,
    "forget_bias": Option(1.0, "bias of the forget gates at the start", low=-20, high=20),
    "timescale": GATES,
    "straight_through": Option(True, "let the gradient pass the aggregator undiminished"),
}

MEMORIES: dict[str, Entry] = {
    "none": Entry(
        "memup.memories.none:NoMemory",
        "no memory: the output is the present input (a control)",
        parameters=0,
        state_numbers=0,
    ),
    "rnn": Entry(
        "memup.memories.rnn:ElmanRNN",
        "simple recurrent network, h' = tanh(x W + h U + b)",
        {"size": SIZE, "layers": LAYERS},
        "Elman 1990, Finding structure in time",
        parameters=8_256,
        state_numbers=64,
    ),
    "gru": Entry(
        "memup.memories.gru:GRU",
        "gated recurrent unit",
        {
            "size": SIZE,
            "layers": LAYERS,
            "timescale": Option(
                0, "if above 1, z begins with time scales up to so many steps", low=0
            ),
        },
        "Cho et al. 2014, arXiv 1406.1078",
        parameters=24_832,
        state_numbers=64,
    ),
    "lstm": Entry(
        "memup.memories.lstm:LSTM",
        "long short-term memory with forget gate",
        {
            "size": SIZE,
            "layers": LAYERS,
            "forget_bias": Option(1.0, "bias of the forget gates at the start", low=-20, high=20),
            "timescale": Option(
                200, "if above 1, gates begin with time scales up to so many steps", low=0
            ),
        },
        "Hochreiter and Schmidhuber 1997",
        parameters=33_024,
        state_numbers=128,
    ),
    "ntm": Entry(
        "memup.memories.ntm:NTM",
        "Neural Turing Machine: heads find slots by content and move along them",
        {
            "size": SIZE,
            "slots": Option(32, "slots of the memory", low=1, high=65536),
            "width": SLOT_WIDTH,
            "read_heads": Option(1, "heads that read", low=1, high=64),
            "write_heads": Option(1, "heads that write", low=1, high=64),
            "shift": Option(1, "slots that a head can move at a step", low=0, high=64),
            "controller": CONTROLLER,
            "timescale": GATES,
        },
        "Graves et al. 2014, arXiv 1410.5401",
        parameters=47_308,
        state_numbers=720,
    ),
    "dnc": Entry(
        "memup.memories.dnc:DNC",
        "Differentiable Neural Computer: slots are allocated, linked and freed",
        {
            "size": SIZE,
            "slots": Option(16, "slots of the memory", low=1, high=65536),
            "width": SLOT_WIDTH,
            "read_heads": Option(2, "heads that read; one writes", low=1, high=64),
            "links": Option(True, "keep the order of writing, slots^2 numbers"),
            "masked_lookup": Option(False, "keys say which numbers of a slot they compare"),
            "dealloc": Option(False, "freed slots lose their content"),
            "sharpen": Option(False, "sharpen what the links give"),
            "usage_gradient": Option(False, "differentiate usage through the write weights"),
            "controller": CONTROLLER,
            "timescale": GATES,
        },
        "Graves et al. 2016, Nature 538:471",
        parameters=53_469,
        state_numbers=752,
    ),
    "lru": Entry(
        "memup.memories.linear:lru",
        "linear recurrent unit: diagonal complex decay (extra: linear)",
        {"size": SIZE, "layers": LAYERS, "timescale": TIMESCALE},
        "Orvieto et al. 2023, arXiv 2303.06349",
        parameters=29_504,
        state_numbers=128,
    ),
    "s6": Entry(
        "memup.memories.linear:s6",
        "selective state space of Mamba: decay depends on the input (extra: linear)",
        {"size": SIZE, "layers": LAYERS, "timescale": TIMESCALE},
        "Gu and Dao 2023, arXiv 2312.00752",
        parameters=25_408,
        state_numbers=64,
    ),
    "ffm": Entry(
        "memup.memories.linear:ffm",
        "fast and forgetful memory: decaying, rotating traces (extra: linear)",
        {
            "size": SIZE,
            "layers": LAYERS,
            "traces": Option(4, "decay rates", low=1, high=4096),
            "contexts": Option(16, "periods of rotation for each decay rate", low=1, high=4096),
            "timescale": TIMESCALE,
        },
        "Morad et al. 2023, arXiv 2310.04128",
        parameters=25_820,
        state_numbers=128,
    ),
    "fwp": Entry(
        "memup.memories.linear:fwp",
        "fast weight programmer: a sum of outer products, never forgets (extra: linear)",
        {"size": SIZE, "layers": LAYERS, "keys": KEYS},
        "Schlag et al. 2021, arXiv 2102.11174",
        parameters=17_024,
        state_numbers=256,
    ),
    "gated-deltanet": Entry(
        "memup.memories.linear:gated_deltanet",
        "fast weights that decay and overwrite by the delta rule (extra: linear)",
        {"size": SIZE, "layers": LAYERS, "keys": KEYS, "timescale": TIMESCALE},
        "Yang et al. 2024, arXiv 2412.06464",
        parameters=17_154,
        state_numbers=256,
    ),
    "window-transformer": Entry(
        "memup.memories.window_transformer:WindowTransformer",
        "Transformer over the last steps (a control: nothing passes its window)",
        {"size": SIZE, "window": WINDOW, "layers": BLOCKS, "heads": HEADS},
        "Vaswani et al. 2017, arXiv 1706.03762",
        parameters=74_816,
        state_numbers=3_999,
    ),
    "rim": Entry(
        "memup.memories.rim:RIM",
        "recurrent independent mechanisms, which compete for the input",
        {
            "size": SIZE,
            "mechanisms": Option(4, "networks that the units are divided among", low=1, high=256),
            "active": Option(3, "how many of them advance at a step", low=1, high=256),
            "cell": Option("lstm", "what a mechanism is", choices=("lstm", "gru")),
            "keys": Option(16, "width of the input's keys, each head", low=1, high=4096),
            "values": Option(32, "width of what a mechanism reads of the input", low=1, high=65536),
            "heads": Option(1, "heads of the attention to the input", low=1, high=64),
            "comm_keys": Option(16, "width of keys and values between them", low=1, high=4096),
            "comm_heads": Option(2, "heads of the attention between them", low=1, high=64),
            "timescale": GATES,
        },
        "Goyal et al. 2021, arXiv 1909.10893",
        parameters=24_896,
        state_numbers=128,
    ),
    "amrl-max": Entry(
        "memup.memories.amrl:AMRLMax",
        "LSTM of which one half goes through a running maximum",
        AMRL,
        "Beck et al. 2020, Bkl7bREtDr",
        parameters=33_024,
        state_numbers=160,
    ),
    "amrl-avg": Entry(
        "memup.memories.amrl:AMRLAvg",
        "LSTM of which one half goes through a running mean",
        AMRL,
        "Beck et al. 2020, Bkl7bREtDr",
        parameters=33_024,
        state_numbers=161,
    ),
    "gtrxl": Entry(
        "memup.memories.gtrxl:GTrXL",
        "gated Transformer-XL over the last steps (a control: nothing passes its window)",
        {
            "size": SIZE,
            "window": WINDOW,
            "layers": BLOCKS,
            "heads": HEADS,
            "bias": Option(2.0, "of the gates at the start; large: shut", low=-20, high=20),
        },
        "Parisotto et al. 2019, arXiv 1910.06764",
        parameters=177_600,
        state_numbers=3_999,
    ),
    "rmt": Entry(
        "memup.memories.rmt:RecurrentMemoryTransformer",
        "Transformer over the last steps whose memory tokens pass on what lies before",
        {
            "size": SIZE,
            "window": Option(16, "W, steps that a layer looks at", low=1, high=65536),
            "tokens": Option(8, "K, memory tokens of each layer", low=1, high=65536),
            "layers": LAYERS,
            "heads": HEADS,
            "timescale": Option(200.0, "longest time scale of tokens at the start", low=2.0),
        },
        "Bulatov et al. 2022, arXiv 2207.06881; ELMUR, arXiv 2510.07151",
        parameters=52_000,
        state_numbers=1_487,
    ),
    "bigbird": Entry(
        "memup.memories.bigbird:BigBird",
        "block-sparse attention over the history: window, first block, random blocks",
        {
            "size": SIZE,
            "block": Option(16, "steps of a block", low=1, high=65536),
            "window": Option(2, "blocks in the window, the present one included", low=1, high=4096),
            "global_blocks": Option(1, "first blocks, which every step sees", low=0, high=4096),
            "random": Option(2, "random blocks of each head", low=0, high=4096),
            "history": Option(
                512, "steps that are kept, beside the first blocks; a multiple of the block", low=1
            ),
            "layers": BLOCKS,
            "heads": HEADS,
            "seed": Option(0, "of the random blocks", low=0),
        },
        "Zaheer et al. 2020, arXiv 2007.14062",
        parameters=70_720,
        state_numbers=67_585,
    ),
}
