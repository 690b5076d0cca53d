"""How a question reads a memory."""

import jax
import jax.numpy as jnp
import numpy as np

from memup.core.spaces import Box, Discrete
from memup.core.types import Query
from memup.method.predictor import Predictor
from memup.nn.encoders import QueryEncoder


def test_questions_read_different_things_of_a_memory_from_the_start(key):
    question = QueryEncoder(Box((4,), "int8"), Discrete(2), 8, key=key)
    predictor = Predictor(8, question, 8, 2, key=key)
    asked = Query(jnp.eye(4, dtype=jnp.int8), jnp.zeros(4, jnp.int32))
    gate = jax.vmap(lambda c: predictor.gate(question(c)))(asked)
    seen = jax.vmap(lambda c: predictor.of_question(question(c)))(asked)
    assert np.std(gate, axis=0).mean() > 1.5 * np.std(seen, axis=0).mean()
