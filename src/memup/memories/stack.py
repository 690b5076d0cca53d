"""Recurrent layers one above the other: the part that RNN, GRU and LSTM share."""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from memup.core.types import Key
from memup.memories.base import AbstractMemory, reset_where

LayerState = tuple[Array, ...]


class AbstractLayer(eqx.Module):
    """One recurrent layer of G gates: state' = cell(x W + b, h U, state), h = state[0].

    Attributes:
        weight_x: W, [I, G*D].
        weight_h: U, [D, G*D].
        bias: b, [G*D].
    """

    weight_x: eqx.AbstractVar[Float[Array, "I GD"]]
    weight_h: eqx.AbstractVar[Float[Array, "D GD"]]
    bias: eqx.AbstractVar[Float[Array, " GD"]]

    @abc.abstractmethod
    def initial(self) -> LayerState:
        """Return the layer's state before an episode, each [D]."""

    @abc.abstractmethod
    def cell(self, pre_x: Array, pre_h: Array, state: LayerState) -> LayerState:
        """Return the next state from the input's and the state's share of the gates, [G*D]."""

    def step(self, state: LayerState, x: Float[Array, " I"]) -> LayerState:
        """Read one input."""
        return self.cell(x @ self.weight_x + self.bias, state[0] @ self.weight_h, state)

    @abc.abstractmethod
    def unroll(
        self, state: LayerState, xs: Float[Array, "T I"], first: Bool[Array, " T"]
    ) -> tuple[LayerState, Float[Array, "T D"]]:
        """Read T inputs. Return the last state and the T values of h."""


def scan_cell(
    layer: AbstractLayer, state: LayerState, xs: Float[Array, "T I"], first: Bool[Array, " T"]
) -> tuple[LayerState, Float[Array, "T D"]]:
    """Unroll a layer by its `cell`; the inputs' share of the gates is one product before."""
    initial = layer.initial()

    def body(state: LayerState, now: Any) -> tuple[LayerState, Array]:
        pre_x, first_t = now
        state = reset_where(first_t, initial, state)
        state = layer.cell(pre_x, state[0] @ layer.weight_h, state)
        return state, state[0]

    return jax.lax.scan(body, state, (xs @ layer.weight_x + layer.bias[None], first))


class AbstractStack(AbstractMemory):
    """Layers of which each reads the one below; the memory's output is h of the highest.

    Attributes:
        layers: lowest first; the state is the tuple of theirs.
    """

    layers: eqx.AbstractVar[tuple[AbstractLayer, ...]]

    def initial_state(self) -> tuple[LayerState, ...]:
        """Return zeros, a tuple of [D] for each layer."""
        return tuple(layer.initial() for layer in self.layers)

    def step(
        self, state: tuple[LayerState, ...], x: Float[Array, " I"], *, key: Key | None = None
    ) -> tuple[tuple[LayerState, ...], Float[Array, " D"]]:
        """Read one input; see AbstractMemory."""
        after = []
        for layer, state_l in zip(self.layers, state, strict=True):
            after.append(layer.step(state_l, x))
            x = after[-1][0]
        return tuple(after), x

    def unroll(
        self,
        state: tuple[LayerState, ...],
        xs: Float[Array, "T I"],
        first: Bool[Array, " T"],
        *,
        key: Key | None = None,
    ) -> tuple[tuple[LayerState, ...], Float[Array, "T D"]]:
        """Run each layer over all steps, then the next one; see AbstractMemory."""
        after = []
        for layer, state_l in zip(self.layers, state, strict=True):
            state_l, xs = layer.unroll(state_l, xs, first)
            after.append(state_l)
        return tuple(after), xs


def zeros_like_rows(weight_h: Float[Array, "D GD"], count: int) -> LayerState:
    """Return `count` zero vectors [D] for a layer with this U."""
    return (jnp.zeros(weight_h.shape[0], weight_h.dtype),) * count


def initial_weights(
    input_size: int, size: int, gates: int, key: Key
) -> tuple[Float[Array, "I GD"], Float[Array, "D GD"]]:
    """Draw W uniform in +-1/sqrt(I) and U orthogonal for each gate (Saxe et al., 1312.6120).

    Returns:
        W [I, G*D] and U [D, G*D].
    """
    key_x, key_h = jax.random.split(key)
    bound = input_size**-0.5
    weight_x = jax.random.uniform(key_x, (input_size, gates * size), minval=-bound, maxval=bound)
    orthogonal = jax.nn.initializers.orthogonal()
    blocks = [orthogonal(k, (size, size), weight_x.dtype) for k in jax.random.split(key_h, gates)]
    return weight_x, jnp.concatenate(blocks, axis=1)
