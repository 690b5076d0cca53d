"""Families of outcomes, measured and widened."""

import numpy as np

from memup.phases.measure import families, widened


def column(*values):
    return np.array(values, np.float32)[:, None]


def test_known_values_need_no_new_family():
    facts = families(column(0, 0.1, 1), "auto")
    assert facts["likelihood"]["values"] == [[0, np.float32(0.1), 1]]
    assert widened(facts, column(0.1, 1), "auto") is None


def test_a_reward_that_was_never_seen_gets_a_density():
    facts = widened(families(column(0, 0), "auto"), column(0, 1), "auto")
    assert facts["likelihood"]["values"] == [[0, 1]]


def test_many_new_values_make_a_real_family():
    facts = widened(families(column(0, 1), "auto"), column(*range(40)), "auto")
    assert facts["likelihood"]["family"] == "normal"


def test_another_scale_is_measured_again():
    facts = families(column(*np.linspace(-1, 1, 50)), "normal")
    assert widened(facts, column(2, -2), "normal") is None
    again = widened(facts, column(-300, 0, 300), "normal")
    assert again["likelihood"]["scale"][0] > 200
