"""The memory-based predictor of MERLIN (Wayne et al. 2018, arXiv 1803.10760).

It learns without rewards of the policy: what it sees becomes a code z, which must say the
observation, the action before it, the reward and the return; a prior that knows only the memory
must foresee the code. Codes are the rows of the memory.
"""

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.agents.networks import Perceptron
from memup.agents.reader import Reader
from memup.core.types import Key, State, StepInput
from memup.memories.base import reset_where
from memup.memories.lstm import LSTM
from memup.nn.encoders import InputEncoder
from memup.ops.gaussian import Gaussian, from_numbers
from memup.ops.retroactive import Rows, append, no_rows, note_reading


class PredictorState(NamedTuple):
    """What the predictor carries.

    Attributes:
        hidden: of its LSTM.
        z: the code of the step before, [Z].
        read: what was read then, [H*2Z].
        rows: the memory, that code written.
    """

    hidden: State
    z: Float[Array, " Z"]
    read: Float[Array, " HW"]
    rows: Rows


class Belief(NamedTuple):
    """What the predictor makes of a step.

    Attributes:
        z: its code, [Z].
        prior: what was foreseen.
        posterior: where z was drawn from.
        rows: the memory as it was read, before z was written, [N, 2Z].
        weights: of the reading, [H, N].
    """

    z: Float[Array, " Z"]
    prior: Gaussian
    posterior: Gaussian
    rows: Float[Array, "N Z2"]
    weights: Float[Array, "H N"]


class Predictor(eqx.Module):
    """Encoder, LSTM, memory, prior and posterior.

    Args:
        encoder: reads a step.
        latent: Z, numbers of a code.
        slots: N, rows of the memory.
        heads: H, keys that read it.
        size: units of the LSTM.
        hidden: units of the hidden layer of prior and posterior.
        decay: of the retroactive write.
        key: for the initial weights.
    """

    encoder: InputEncoder
    recurrent: LSTM
    reader: Reader
    prior: Perceptron
    residual: Perceptron
    latent: int = eqx.field(static=True)
    slots: int = eqx.field(static=True)
    decay: float = eqx.field(static=True)

    def __init__(
        self,
        encoder: InputEncoder,
        latent: int,
        slots: int,
        heads: int,
        size: int,
        hidden: int,
        decay: float,
        *,
        key: Key,
    ):
        keys = jax.random.split(key, 4)
        width = 2 * latent
        self.encoder, self.latent, self.slots, self.decay = encoder, latent, slots, decay
        inputs = latent + encoder.action_size + heads * width
        self.recurrent = LSTM(inputs, size, layers=1, forget_bias=1.0, timescale=0, key=keys[0])
        self.reader = Reader(size, width, heads, key=keys[1])
        known = size + heads * width
        self.prior = Perceptron(known, width, (hidden,), 0.1, key=keys[2])
        given = encoder.output_size + known + width
        self.residual = Perceptron(given, width, (hidden,), 1.0, key=keys[3])

    def initial_state(self) -> PredictorState:
        """Return the state before an episode: an empty memory."""
        rows = no_rows(self.slots, self.latent)
        read = jnp.zeros(self.reader.heads * 2 * self.latent)
        return PredictorState(self.recurrent.initial_state(), jnp.zeros(self.latent), read, rows)

    def step(
        self, state: PredictorState, x: StepInput, noise: Float[Array, " Z"]
    ) -> tuple[PredictorState, Belief]:
        """Read the memory, foresee the step's code, see the step, write its code.

        Args:
            state: the state; where `x.first`, the initial one is taken.
            x: the step and the action that led to it.
            noise: standard normal numbers that make z from the posterior; zeros take its mean.
        """
        state = reset_where(x.first, self.initial_state(), state)
        before = jnp.concatenate([state.z, self.encoder.previous_action(x), state.read])
        hidden, h = self.recurrent.step(state.hidden, before)
        read, weights = self.reader(h, state.rows.content)
        known = jnp.concatenate([h, read])
        foreseen = self.prior(known)
        seen = jnp.concatenate([self.encoder(x), known, foreseen])
        prior, posterior = from_numbers(foreseen), from_numbers(foreseen + self.residual(seen))
        z = posterior.mean + jnp.exp(posterior.log_std) * noise
        rows = append(note_reading(state.rows, weights), z, self.decay)
        belief = Belief(z, prior, posterior, state.rows.content, weights)
        return PredictorState(hidden, z, read, rows), belief
