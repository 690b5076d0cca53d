"""The memories that exist, by name."""

from memup.tables import Entry, Option

SIZE = Option(64, "units of each layer, the size of the memory's output", low=1, high=65536)
LAYERS = Option(1, "layers, each reading the one below", low=1, high=64)

MEMORIES: dict[str, Entry] = {
    "none": Entry(
        "memup.memories.none:NoMemory",
        "no memory: the output is the present input (a control)",
    ),
    "rnn": Entry(
        "memup.memories.rnn:ElmanRNN",
        "simple recurrent network, h' = tanh(x W + h U + b)",
        {"size": SIZE, "layers": LAYERS},
        "Elman 1990, Finding structure in time",
    ),
    "gru": Entry(
        "memup.memories.gru:GRU",
        "gated recurrent unit",
        {"size": SIZE, "layers": LAYERS},
        "Cho et al. 2014, arXiv 1406.1078",
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
    ),
}
