"""The options of the memories, each defined once. Importing this never loads jax."""

from dataclasses import dataclass

from memup.core.options import Config, option

_LAYERS = "layers, each reading the one below"
_SCALE = "if above 1, LSTM gates begin with time scales up to so many steps"
_LONGEST = "longest time scale at the start, in steps"
_HEADS = "attention heads; they divide the size"


@dataclass(frozen=True)
class SizedConfig(Config):
    """What every memory with units of its own has."""

    size: int = option(64, "units of each layer, floats of the memory's output", low=1, high=65536)


@dataclass(frozen=True)
class LayersConfig(SizedConfig):
    """Recurrent layers."""

    layers: int = option(1, _LAYERS, low=1, high=64)


@dataclass(frozen=True)
class GRUConfig(LayersConfig):
    """Gated recurrent unit."""

    timescale: int = option(0, "if above 1, z begins with time scales up to so many steps", low=0)


@dataclass(frozen=True)
class LSTMConfig(LayersConfig):
    """Long short-term memory."""

    forget_bias: float = option(1.0, "bias of the forget gates at the start", low=-20, high=20)
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class AMRLConfig(SizedConfig):
    """An LSTM of which one half is aggregated."""

    forget_bias: float = option(1.0, "bias of the forget gates at the start", low=-20, high=20)
    timescale: int = option(200, _SCALE, low=0)
    straight_through: bool = option(True, "let the gradient pass the aggregator undiminished")


@dataclass(frozen=True)
class PooledConfig(SizedConfig):
    """An LSTM beside softmax pooling."""

    heads: int = option(8, "heads, each with a score of its own; they divide half the size", low=1)
    stretch: int = option(4, "inputs that a head's score and value are made of", low=1, high=1024)
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class NTMConfig(SizedConfig):
    """Neural Turing Machine."""

    slots: int = option(32, "slots of the memory", low=1, high=65536)
    width: int = option(16, "floats of a slot", low=1, high=65536)
    read_heads: int = option(1, "heads that read slots", low=1, high=64)
    write_heads: int = option(1, "heads that write slots", low=1, high=64)
    shift: int = option(1, "slots that a head can move at a step", low=0, high=64)
    controller: str = option(
        "lstm", "network that drives the heads", choices=("lstm", "feed-forward")
    )
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class DNCConfig(SizedConfig):
    """Differentiable Neural Computer."""

    slots: int = option(16, "slots of the memory", low=1, high=65536)
    width: int = option(16, "floats of a slot", low=1, high=65536)
    read_heads: int = option(2, "heads that read; one writes", low=1, high=64)
    links: bool = option(True, "keep the order of writing, slots^2 floats")
    masked_lookup: bool = option(False, "keys say which floats of a slot they compare")
    dealloc: bool = option(False, "freed slots lose their content")
    sharpen: bool = option(False, "sharpen what the links give")
    usage_gradient: bool = option(False, "differentiate usage through the write weights")
    controller: str = option(
        "lstm", "network that drives the heads", choices=("lstm", "feed-forward")
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
    contexts: int = option(16, "periods of rotation for each decay rate", low=1, high=4096)
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
        32, "W, steps that a layer looks at, the present one included", low=1, high=65536
    )
    layers: int = option(2, "layers, each looking as far back again", low=1, high=64)
    heads: int = option(4, _HEADS, low=1, high=1024)


@dataclass(frozen=True)
class GTrXLConfig(WindowTransformerConfig):
    """Gated Transformer-XL."""

    bias: float = option(2.0, "bias of the gates at the start; large: shut", low=-20, high=20)


@dataclass(frozen=True)
class RIMConfig(SizedConfig):
    """Recurrent independent mechanisms."""

    mechanisms: int = option(4, "networks that the units are divided among", low=1, high=256)
    active: int = option(3, "mechanisms that advance at a step", low=1, high=256)
    cell: str = option("lstm", "what a mechanism is", choices=("lstm", "gru"))
    keys: int = option(16, "width of the input's keys, each head", low=1, high=4096)
    values: int = option(32, "width of what a mechanism reads of the input", low=1, high=65536)
    heads: int = option(1, "heads of the attention to the input", low=1, high=64)
    comm_keys: int = option(16, "width of keys and values between mechanisms", low=1, high=4096)
    comm_heads: int = option(2, "heads of the attention between mechanisms", low=1, high=64)
    timescale: int = option(200, _SCALE, low=0)


@dataclass(frozen=True)
class RMTConfig(SizedConfig):
    """Recurrent memory Transformer."""

    window: int = option(16, "W, steps that a layer looks at", low=1, high=65536)
    tokens: int = option(8, "K, memory tokens of each layer", low=1, high=65536)
    layers: int = option(1, _LAYERS, low=1, high=64)
    heads: int = option(4, _HEADS, low=1, high=1024)
    timescale: float = option(200.0, "longest time scale of tokens at the start", low=2.0)


@dataclass(frozen=True)
class BigBirdConfig(SizedConfig):
    """Block-sparse attention over the history."""

    block: int = option(16, "steps of a block", low=1, high=65536)
    window: int = option(2, "blocks in the window, the present one included", low=1, high=4096)
    global_blocks: int = option(1, "first blocks, which every step sees", low=0, high=4096)
    random: int = option(2, "random blocks of each head", low=0, high=4096)
    history: int = option(
        512, "steps that are kept, beside the first blocks; a multiple of the block", low=1
    )
    layers: int = option(2, "layers, each looking as far back again", low=1, high=64)
    heads: int = option(4, _HEADS, low=1, high=1024)
    seed: int = option(0, "seed of the random blocks", low=0)
