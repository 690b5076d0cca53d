"""What memory explains, in one unit."""

import math

import pytest

from memup.phases.profile import explained


@pytest.mark.parametrize("scale", [0.1, 1.0, 100.0])
def test_noise_explains_nothing_whatever_its_scale(scale):
    nats = 0.5 + 0.5 * math.log(2 * math.pi * scale**2)
    assert explained(nats, nats, False) == 0


def test_half_of_a_deviation_is_three_quarters_of_a_variance():
    assert math.isclose(explained(1.0, 1.0 - math.log(2), False), 0.75)


def test_categories_are_shares_of_nats_and_of_nothing_nothing():
    assert explained(0.5, 0.125, True) == 0.75
    assert explained(0.001, 0.0, True) == 0
