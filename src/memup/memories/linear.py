"""Linear recurrent memories: the layers of the library memax, one adapter for all of them.

A layer of memax turns inputs into elements of a semigroup, joins them by an associative scan, and
reads an output from every prefix. It is used with its own scan, and with these differences:

* A reset selects; memax multiplies by 0, which lets inf and NaN pass.
* The state is what later steps read, as floats: of x' = A x + b this is x, and not the product of
  all A so far. A complex number is two floats.
* Time scales begin where `timescale` says; memax's own forget within tens of steps.
* memax 0.1.1 reads the matrix of its fast-weight layers along the wrong axis, and its delta rule
  erases along that axis. Here the matrix is [key, value], as the papers' equations need it.

memax is optional: `pip install 'memup[linear]'`.
"""

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.errors import MemupError
from memup.core.types import Key
from memup.memories.base import AbstractParallel

# An element of a semigroup: a tree of arrays, [...] for one step or [T, ...] for T.
Element = Any
LayerState = tuple[Array, ...]


def _mapped(layer: Any, xs: Float[Array, "T D"]) -> Element:
    """Map each input by the layer itself."""
    flag = jnp.array(False)
    # memax multiplies arrays of unequal rank on purpose.
    with jax.numpy_rank_promotion("allow"):
        return jax.vmap(lambda x: layer.forward_map((x, flag))[0])(xs)


@dataclass(frozen=True)
class Model:
    """How a layer of memax is used.

    Attributes:
        place: "module:Class" below memax.equinox.semigroups.
        make: that class, D, options and key -> a layer.
        elements: layer and inputs [T, D] -> T elements.
        state: which part of an element is state; None for all of it.
        turned: the state is [key, value], and the layer reads [value, key].
    """

    place: str
    make: Callable[..., Any]
    elements: Callable[[Any, Array], Element] = _mapped
    state: int | None = None
    turned: bool = False

    def load(self, name: str) -> Any:
        """Import the class.

        Args:
            name: the memory that needs it, for the error.

        Raises:
            MemupError: the package is not installed.
        """
        module, cls = self.place.split(":")
        try:
            # Some modules make an array when they are imported: it must be a real one, of 32
            # bits, although a memory may be made inside a program that is being compiled.
            with jax.ensure_compile_time_eval(), jax.enable_x64(False):
                found = importlib.import_module(f"memax.equinox.semigroups.{module}")
        except ModuleNotFoundError as error:
            raise MemupError(
                f"memory={name}: no package {error.name!r}; pip install 'memup[linear]'"
            ) from None
        return getattr(found, cls)

    def keep(self, element: Element) -> LayerState:
        """Return the state that is in an element, as floats."""
        part = element if self.state is None else element[self.state]
        return (part.real, part.imag) if jnp.iscomplexobj(part) else (part,)

    def put(self, element: Element, state: LayerState) -> Element:
        """Return an element with this state in it."""
        part = jax.lax.complex(*state) if len(state) == 2 else state[0]
        if self.state is None:
            return part
        return tuple(part if i == self.state else other for i, other in enumerate(element))

    def read(self, layer: Any, element: Element, x: Float[Array, " D"]) -> Float[Array, " D"]:
        """Return the layer's output from the element of one prefix and the last input."""
        if self.turned:
            element = self.put(element, (self.keep(element)[0].T,))
        flag = jnp.array(False)
        return layer.backward_map((element, flag), (x, flag))


def _lru_elements(layer: Any, xs: Float[Array, "T D"]) -> Element:
    """Return (lambda, gamma B x); memax's own map rounds to 32 bits whatever it is given."""
    gamma = jnp.exp(layer.gamma_log)[None]
    inputs = jax.lax.complex((xs @ layer.B_re.T) * gamma, (xs @ layer.B_im.T) * gamma)
    return jnp.broadcast_to(layer.diag_lambda()[None], inputs.shape), inputs


def _ffm_elements(layer: Any, xs: Float[Array, "T D"]) -> Element:
    """Return (gated input for every context, 1 step); see _lru_elements."""
    gated = jax.vmap(lambda x: layer.pre(x) * layer.gate_in(x))(xs)
    inputs = jnp.broadcast_to(gated[:, :, None], (*gated.shape, layer.context_size))
    return jax.lax.complex(inputs, jnp.zeros_like(inputs)), jnp.ones(len(xs), jnp.int32)


def _gdn_elements(layer: Any, xs: Float[Array, "T D"]) -> Element:
    """Return (alpha (I - beta k k^T), beta k v^T): from the left, the product erases the key."""
    erase, write = _mapped(layer, xs)
    return erase, jnp.swapaxes(write, 1, 2)


def _timescales(count: int, longest: float) -> Float[Array, " N"]:
    return jnp.linspace(longest, 1.0, count)


def _lru(cls: Any, size: int, timescale: float, *, key: Key) -> Any:
    """|lambda| = exp(-1/tau), with a phase of at most half a turn within tau."""
    layer = cls(recurrent_size=size, hidden_size=size, key=key)
    tau = _timescales(size, timescale)
    phase = jnp.exp(layer.theta_log) / (2 * tau)
    begin = (-jnp.log(tau), jnp.log(phase), jnp.log(-jnp.expm1(-2 / tau)) / 2)
    return eqx.tree_at(lambda l: (l.nu_log, l.theta_log, l.gamma_log), layer, begin)


def _s6(cls: Any, size: int, timescale: float, *, key: Key) -> Any:
    """softplus(bias) = 1/tau, the step that an input of zeros takes."""
    layer = cls(recurrent_size=size, hidden_size=size, key=key)
    bias = jnp.log(jnp.expm1(1 / _timescales(size, timescale)))
    return eqx.tree_at(lambda l: l.dt.layers[0].bias, layer, bias)


def _ffm(cls: Any, size: int, traces: int, contexts: int, timescale: float, *, key: Key) -> Any:
    """The decay rates are 1/tau."""
    layer = cls(hidden_size=size, trace_size=traces, context_size=contexts, key=key)
    rates = 1 / _timescales(traces, timescale)
    return eqx.tree_at(lambda l: l.algebra.algebra.params[0], layer, rates)


def _fwp(cls: Any, size: int, keys: int, *, key: Key) -> Any:
    return cls(hidden_size=size, recurrent_size=keys, key=key)


def _gdn(cls: Any, size: int, keys: int, timescale: float, *, key: Key) -> Any:
    """sigmoid(bias) = 1 - 1/tau, what an input of zeros keeps."""
    layer = cls(hidden_size=size, recurrent_size=keys, key=key)
    bias = jnp.full_like(layer.alpha.bias, math.log(max(timescale - 1, 1)))
    return eqx.tree_at(lambda l: l.alpha.bias, layer, bias)


MODELS = {
    "lru": Model("lru:LRU", _lru, _lru_elements, state=1),
    "s6": Model("s6:S6", _s6, state=1),
    "ffm": Model("ffm:FFM", _ffm, _ffm_elements, state=0),
    "fwp": Model("fwp:FWP", _fwp, turned=True),
    "gated-deltanet": Model("gdn:GDN", _gdn, _gdn_elements, state=1, turned=True),
}


class LinearLayer(eqx.Module):
    """A layer of memax between norms, with a gate and a residual path (as LRU, fig. 1).

    h' = h + a * sigmoid(b), [a, b] = V gelu(norm(y)) + c, where y is the layer's output on norm(h).

    Args:
        model: which one, and how it is used.
        inner: the layer.
        size: D.
        key: for the initial weights.
    """

    before: eqx.nn.RMSNorm
    after: eqx.nn.RMSNorm
    gate: eqx.nn.Linear
    inner: Any
    model: Model = eqx.field(static=True)

    def __init__(self, model: Model, inner: Any, size: int, *, key: Key):
        self.model, self.inner = model, inner
        self.before, self.after = eqx.nn.RMSNorm(size), eqx.nn.RMSNorm(size, eps=1.0)
        self.gate = eqx.nn.Linear(size, 2 * size, key=key)

    def initial(self) -> LayerState:
        """Return the layer's state before an episode."""
        neutral = self.model.keep(self.inner.algebra.algebra.initialize_carry())
        return tuple(part.astype(self.gate.weight.dtype) for part in neutral)

    def unroll(
        self, state: LayerState, hs: Float[Array, "T D"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T D"]]:
        """Read T inputs. Return the last state and the T outputs."""
        xs = jax.vmap(self.before)(hs)
        prefixes = self.scan(state, self.model.elements(self.inner, xs), first)
        ys = jax.vmap(partial(self.model.read, self.inner))(prefixes, xs)
        a, b = jnp.split(jax.vmap(self.gate)(jax.nn.gelu(jax.vmap(self.after)(ys))), 2, axis=1)
        last = self.model.keep(jax.tree.map(lambda part: part[-1], prefixes))
        return last, hs + a * jax.nn.sigmoid(b)

    def scan(self, state: LayerState, elements: Element, first: Bool[Array, " T"]) -> Element:
        """Join all elements from the last start, or the state, up to each step."""
        algebra = self.inner.algebra.algebra
        neutral = jax.tree.map(
            lambda part, like: part.astype(like.dtype), algebra.initialize_carry(), elements
        )

        def join(left: Any, right: Any) -> Any:
            (past, begun), (now, begins) = left, right
            past = jax.tree.map(lambda a, b: jnp.where(begins, a, b), neutral, past)
            return algebra(past, now), begun | begins

        start = (self.model.put(neutral, state), jnp.array(False))
        return self.inner.scan(join, start, (elements, first))[0]


@final
class LinearMemory(AbstractParallel):
    """Linear recurrent layers of one kind: a linear map, the layers, a norm.

    Args:
        name: a name in MODELS.
        input_size: I, floats a step.
        size: D, inputs and outputs of each layer.
        layers: how many.
        key: for the initial weights.
        **options: of the model; see its `make`.
    """

    embed: eqx.nn.Linear
    layers: tuple[LinearLayer, ...]
    norm: eqx.nn.RMSNorm
    input_size: int = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(
        self, name: str, input_size: int, size: int, layers: int, *, key: Key, **options: Any
    ):
        self.input_size, self.output_size = input_size, size
        model = MODELS[name]
        cls = model.load(name)
        key_embed, *keys = jax.random.split(key, 1 + 2 * layers)
        self.embed = eqx.nn.Linear(input_size, size, key=key_embed)
        self.layers = tuple(
            LinearLayer(model, model.make(cls, size, key=k, **options), size, key=key_gate)
            for k, key_gate in zip(keys[::2], keys[1::2], strict=True)
        )
        self.norm = eqx.nn.RMSNorm(size)

    def initial_state(self) -> tuple[LayerState, ...]:
        """Return zeros, a tuple of one array (two for a complex state) for each layer."""
        return tuple(layer.initial() for layer in self.layers)

    def unroll(
        self,
        state: tuple[LayerState, ...],
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[tuple[LayerState, ...], Float[Array, "T D"]]:
        """Run each layer over all steps, then the next one; see AbstractMemory."""
        hs, after = jax.vmap(self.embed)(xs), []
        for layer, state_l in zip(self.layers, state, strict=True):
            state_l, hs = layer.unroll(state_l, hs, first)
            after.append(state_l)
        return tuple(after), jax.vmap(self.norm)(hs)


lru = partial(LinearMemory, "lru")
s6 = partial(LinearMemory, "s6")
ffm = partial(LinearMemory, "ffm")
fwp = partial(LinearMemory, "fwp")
gated_deltanet = partial(LinearMemory, "gated-deltanet")
