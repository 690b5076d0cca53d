"""The sizes that the table states are those of the memories."""

import equinox as eqx
import jax
import pytest

from memup.memories.make import make_memory
from memup.memories.table import INPUT_SIZE, MEMORIES


@pytest.mark.parametrize("name", MEMORIES)
def test_parameters_and_state_are_as_the_table_says(name):
    def make(key):
        memory = make_memory(name, INPUT_SIZE, key=key)
        return memory, memory.initial_state()

    memory, state = eqx.filter_eval_shape(make, jax.random.key(0))
    weights = jax.tree.leaves(eqx.filter(memory, lambda leaf: hasattr(leaf, "shape")))
    counted = sum(w.size for w in weights), sum(s.size for s in jax.tree.leaves(state))
    entry = MEMORIES[name]
    assert counted == (entry.parameters, entry.state_numbers), (
        f"write parameters={counted[0]}, state_numbers={counted[1]} in the entry of {name}"
    )
