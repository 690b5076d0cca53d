"""How a question reads a memory."""

import jax
import jax.numpy as jnp
import numpy as np

from memup.core.spaces import Box, Discrete
from memup.core.types import Query
from memup.method.distance import one_hot_distance
from memup.method.predictor import Predictor
from memup.nn.encoders import QueryEncoder


def test_questions_read_different_things_of_a_memory_from_the_start(key):
    question = QueryEncoder(Box((4,), "int8"), Discrete(2), 8, key=key)
    predictor = Predictor(8, question, 8, 2, key=key)
    asked = Query(jnp.eye(4, dtype=jnp.int8), jnp.zeros(4, jnp.int32))
    read = jax.vmap(lambda c: jnp.concatenate([question(c), one_hot_distance(None)]))(asked)
    gate, seen = jax.vmap(predictor.gate)(read), jax.vmap(predictor.of_question)(read)
    assert np.std(gate, axis=0).mean() > 1.5 * np.std(seen, axis=0).mean()


def test_the_answer_depends_on_how_far_ahead_the_question_lies(key):
    question = QueryEncoder(Box((4,), "int8"), None, 8, key=key)
    predictor = Predictor(8, question, 8, 2, key=key)

    def answer(distance):
        return predictor(jnp.ones(8), Query(jnp.ones(4, jnp.int8), (), distance))

    assert not jnp.allclose(answer(jnp.int32(3)), answer(jnp.int32(4)))
    assert jnp.array_equal(answer(None), answer(jnp.int32(0)))
    assert jnp.array_equal(answer(jnp.int32(64)), answer(jnp.int32(10**6)))
