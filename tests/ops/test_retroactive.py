"""The growing memory by hand: what is written, what came after it, and which row makes room."""

import jax
import jax.numpy as jnp
import numpy as np

from memup.ops.retroactive import append, no_rows, note_reading


def written(slots, *codes, decay=0.5):
    rows = no_rows(slots, 1)
    for code in codes:
        rows = append(rows, jnp.array([code]), decay)
    return rows


def test_four_steps_by_hand():
    rows = written(5, 1.0, 2.0, 3.0, 4.0)
    # After the 1 came 2, 3 and 4, with weights 1/2, 1/4 and 1/8; and so on.
    expected = [[1, 1 + 0.75 + 0.5], [2, 1.5 + 1], [3, 2], [4, 0], [0, 0]]
    np.testing.assert_allclose(rows.content, expected)
    np.testing.assert_allclose(rows.trace, [0.125, 0.25, 0.5, 0, 0])
    np.testing.assert_array_equal(rows.last, [0, 0, 0, 1, 0])
    assert rows.count == 4


def test_a_decay_of_one_writes_nothing_afterwards_and_of_zero_the_next_step_only():
    np.testing.assert_array_equal(written(3, 1.0, 2.0, 3.0, decay=1.0).content[:, 1], [0, 0, 0])
    np.testing.assert_array_equal(written(3, 1.0, 2.0, 3.0, decay=0.0).content[:, 1], [2, 3, 0])


def test_a_full_memory_gives_up_the_row_that_was_read_least():
    rows = written(2, 1.0, 2.0)
    rows = note_reading(rows, jnp.array([[0.9, 0.1], [0.6, 0.4]]))
    np.testing.assert_allclose(rows.use, [1.5, 0.5])
    rows = append(rows, jnp.array([3.0]), 0.5)
    # Row 1 is cleared, with what it took of later steps; row 0 takes 1/4 of the 3.
    np.testing.assert_allclose(rows.content, [[1, 1 + 0.75], [3, 0]])
    np.testing.assert_allclose(rows.use, [1.5, 0])
    rows = append(rows, jnp.array([4.0]), 0.5)
    np.testing.assert_allclose(rows.content, [[1, 1.75 + 0.5], [4, 0]])


def test_the_gradient_reaches_all_that_was_written():
    def later(codes):
        rows = no_rows(3, 1)
        for code in codes:
            rows = append(rows, code[None], 0.5)
        return rows.content.sum()

    # Itself, and its share in the rows before: 1, 1 + 1/2, 1 + 1/2 + 1/4.
    np.testing.assert_allclose(jax.grad(later)(jnp.ones(3)), [1, 1.5, 1.75])
