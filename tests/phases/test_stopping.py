"""When the memory phase may stop."""

import pytest

from memup.phases.memory import progress


@pytest.mark.parametrize(
    ("categories", "held", "best", "without", "expected"),
    [
        (True, 0.001, 0.001, 0.69, (True, True)),
        (True, 0.3, 0.3, 0.69, (False, True)),
        (True, 0.6, 0.6, 0.69, (False, False)),
        # Real numbers: below zero is not the end, and a loss below zero need not be learned.
        (False, -0.6, -0.6, 0.5, (False, True)),
        (False, 0.001, 0.001, 0.2, (False, False)),
        (False, -1.1, -1.1, -1.0, (False, False)),
    ],
)
def test_nothing_left_to_learn_and_something_learned(categories, held, best, without, expected):
    assert progress(categories, held, best, without) == expected
