"""q(y_k | m_t, x_k): predicts a far outcome from the memory now and the local question there."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from memup.core.types import Key, Query
from memup.method.distance import CODES, one_hot_distance
from memup.nn.linear import apply, rectified


class Predictor(eqx.Module):
    """A perceptron with two hidden layers on [memory, question].

    The first layer is kept as two matrices, one for each half: the memory's half is computed once
    a query, however many targets that query has.

    Attributes:
        question: encodes (o_k, a_k); how far k lies ahead is added to that.
        of_memory: first layer on m_t.
        of_question: first layer on the question.
        gate: how a question turns the memory's half up and down.
        hidden: second layer.
        output: parameters of the outcome's likelihood.
    """

    question: eqx.Module
    of_memory: eqx.nn.Linear
    of_question: eqx.nn.Linear
    gate: eqx.nn.Linear
    hidden: eqx.nn.Linear
    output: eqx.nn.Linear

    def __init__(
        self, memory_size: int, question: eqx.Module, width: int, outputs: int, *, key: Key
    ):
        keys = jax.random.split(key, 5)
        self.question = question
        self.of_memory = rectified(memory_size, width, key=keys[0])
        asked = question.output_size + CODES
        self.of_question = eqx.nn.Linear(asked, width, key=keys[1])
        # Large, or all questions would read the same of a memory that knows nothing yet.
        self.gate = rectified(asked, width, key=keys[4])
        self.hidden = eqx.nn.Linear(width, width, key=keys[2])
        self.output = eqx.nn.Linear(width, outputs, key=keys[3])

    def recall(self, memory: Float[Array, " D"]) -> Float[Array, " H"]:
        """Compute the memory's half of the first layer."""
        return apply(self.of_memory, memory)

    def answer(self, recalled: Float[Array, " H"], context: Query) -> Float[Array, " P"]:
        """Answer one question from what `recall` gave."""
        far = one_hot_distance(context.distance)
        asked = jnp.concatenate([self.question(context), far])
        seen, gate = apply(self.of_question, asked), apply(self.gate, asked)
        # What an action brings usually depends on what is remembered: a product learns that
        # far sooner than a sum followed by a rectifier.
        hidden = jax.nn.relu((1 + gate) * recalled + seen)
        return apply(self.output, jax.nn.relu(apply(self.hidden, hidden)))

    def __call__(self, memory: Float[Array, " D"], context: Query) -> Float[Array, " P"]:
        """Return the parameters of the outcome's likelihood."""
        return self.answer(self.recall(memory), context)


class LocalPredictor(eqx.Module):
    """q(y_k | x_k): the same without a memory; what remains uncertain is memory's business.

    Attributes:
        question: encodes (o_k, a_k).
        network: perceptron with two hidden layers.
    """

    question: eqx.Module
    network: eqx.nn.MLP

    def __init__(self, question: eqx.Module, width: int, outputs: int, *, key: Key):
        self.question = question
        self.network = eqx.nn.MLP(question.output_size, outputs, width, 2, key=key)

    def __call__(self, context: Query) -> Float[Array, " P"]:
        """Return the parameters of the outcome's likelihood."""
        return self.network(self.question(context))
