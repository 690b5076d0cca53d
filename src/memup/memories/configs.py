"""The options of the memories, each defined once. Importing this never loads jax."""

from dataclasses import dataclass

from memup.core.options import Config, option

_LAYERS = "layers, each of which reads the one below"
_SCALE = "longest initial time scale of the LSTM gates, in steps; up to 1: not set"
_LONGEST = "longest initial time scale, in steps"
_HEADS = "attention heads, a divisor of the size"


@dataclass(frozen=True)
class SizedConfig(Config):
    """What every memory with units of its own has."""

    size: int = option(
        64, "units of each layer, and size of the memory's output", low=1, high=65536
    )


@dataclass(frozen=True)
class LayersConfig(SizedConfig):
    """Recurrent layers."""

    layers: int = option(1, _LAYERS, low=1, high=64)


@dataclass(frozen=True)
class GRUConfig(LayersConfig):
    """Gated recurrent unit."""

    timescale: int = option(
        0, "longest initial time scale of the update gates, in steps; up to 1: not set", low=0
    )


@dataclass(frozen=True)
class LSTMConfig(LayersConfig):
    """Long short-term memory."""

    forget_bias: float = option(1.0, "initial bias of the forget gates", low=-20, high=20)
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class AMRLConfig(SizedConfig):
    """An LSTM of which one half is aggregated."""

    forget_bias: float = option(1.0, "initial bias of the forget gates", low=-20, high=20)
    timescale: int = option(200, _SCALE, low=0)
    straight_through: bool = option(True, "pass the gradient through the aggregator unchanged")


@dataclass(frozen=True)
class PooledConfig(SizedConfig):
    """An LSTM beside softmax pooling."""

    heads: int = option(
        8, "pooling heads, each with its own score; a divisor of half the size", low=1
    )
    stretch: int = option(4, "inputs from which a head computes score and value", low=1, high=1024)
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class NTMConfig(SizedConfig):
    """Neural Turing Machine."""

    slots: int = option(32, "number of memory slots", low=1, high=65536)
    width: int = option(16, "size of a slot, in floats", low=1, high=65536)
    read_heads: int = option(1, "number of read heads", low=1, high=64)
    write_heads: int = option(1, "number of write heads", low=1, high=64)
    shift: int = option(1, "largest shift of a head in one step, in slots", low=0, high=64)
    controller: str = option(
        "lstm", "network that controls the heads", choices=("lstm", "feed-forward")
    )
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class DNCConfig(SizedConfig):
    """Differentiable Neural Computer."""

    slots: int = option(16, "number of memory slots", low=1, high=65536)
    width: int = option(16, "size of a slot, in floats", low=1, high=65536)
    read_heads: int = option(2, "number of read heads; there is one write head", low=1, high=64)
    links: bool = option(True, "track the order of writes, which takes slots^2 floats")
    masked_lookup: bool = option(
        False, "let a key mask the floats of a slot that it is compared with"
    )
    dealloc: bool = option(False, "erase the content of freed slots")
    sharpen: bool = option(False, "sharpen the distributions that the links give")
    usage_gradient: bool = option(False, "differentiate the usage through the write weights")
    controller: str = option(
        "lstm", "network that controls the heads", choices=("lstm", "feed-forward")
    )
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class ScaledConfig(LayersConfig):
    """Linear recurrent layers with time scales."""

    timescale: float = option(1000.0, _LONGEST, low=1.0)


@dataclass(frozen=True)
class FFMConfig(LayersConfig):
    """Fast and forgetful memory."""

    traces: int = option(4, "number of decay rates", low=1, high=4096)
    contexts: int = option(16, "oscillation periods for each decay rate", low=1, high=4096)
    timescale: float = option(1000.0, _LONGEST, low=1.0)


@dataclass(frozen=True)
class FastWeightsConfig(LayersConfig):
    """Fast weight programmer."""

    keys: int = option(16, "side of the square matrix of fast weights", low=1, high=4096)


@dataclass(frozen=True)
class DeltaNetConfig(FastWeightsConfig):
    """Gated DeltaNet."""

    timescale: float = option(1000.0, _LONGEST, low=1.0)


@dataclass(frozen=True)
class WindowTransformerConfig(SizedConfig):
    """Transformer over the last steps."""

    window: int = option(
        32, "W, steps that each layer attends to, the current one included", low=1, high=65536
    )
    layers: int = option(2, "layers, each of which reaches one window further back", low=1, high=64)
    heads: int = option(4, _HEADS, low=1, high=1024)


@dataclass(frozen=True)
class GTrXLConfig(WindowTransformerConfig):
    """Gated Transformer-XL."""

    bias: float = option(
        2.0, "initial bias of the gates; the larger, the more closed", low=-20, high=20
    )


@dataclass(frozen=True)
class RIMConfig(SizedConfig):
    """Recurrent independent mechanisms."""

    mechanisms: int = option(
        4, "number of mechanisms, which share the units equally", low=1, high=256
    )
    active: int = option(3, "mechanisms that are updated at each step", low=1, high=256)
    cell: str = option("lstm", "recurrent cell of each mechanism", choices=("lstm", "gru"))
    keys: int = option(
        16, "size of the keys of the input attention, for each head", low=1, high=4096
    )
    values: int = option(32, "size of the values of the input attention", low=1, high=65536)
    heads: int = option(1, "heads of the input attention", low=1, high=64)
    comm_keys: int = option(
        16, "size of keys and values of the attention between mechanisms", low=1, high=4096
    )
    comm_heads: int = option(2, "heads of the attention between mechanisms", low=1, high=64)
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class RMTConfig(SizedConfig):
    """Recurrent memory Transformer."""

    window: int = option(16, "W, steps that each layer attends to", low=1, high=65536)
    tokens: int = option(8, "K, memory tokens of each layer", low=1, high=65536)
    layers: int = option(1, _LAYERS, low=1, high=64)
    heads: int = option(4, _HEADS, low=1, high=1024)
    timescale: float = option(
        200.0, "longest initial time scale of the memory tokens, in steps", low=2.0
    )


@dataclass(frozen=True)
class BigBirdConfig(SizedConfig):
    """Block-sparse attention over the history."""

    block: int = option(16, "steps in each block", low=1, high=65536)
    window: int = option(
        2, "blocks in the attention window, the current one included", low=1, high=4096
    )
    global_blocks: int = option(1, "first blocks, which every step attends to", low=0, high=4096)
    random: int = option(2, "random blocks that each head attends to", low=0, high=4096)
    history: int = option(
        512, "steps kept beside the first blocks, a multiple of the block size", low=1
    )
    layers: int = option(2, "layers, each of which reaches one window further back", low=1, high=64)
    heads: int = option(4, _HEADS, low=1, high=1024)
    seed: int = option(0, "seed of the random blocks", low=0)
