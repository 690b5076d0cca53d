"""Distributions: one family for detector, predictor, decoder and every policy."""

from memup.nn.distributions.base import AbstractDistribution
from memup.nn.distributions.boxes import BoxNormal
from memup.nn.distributions.categories import Bernoullis, Categories
from memup.nn.distributions.joint import Joint
from memup.nn.distributions.make import (
    MOST_LABELS,
    distribution_of,
    from_description,
    kind_of,
    numbered,
    suit,
)
from memup.nn.distributions.outcomes import MAX_CLASSES, Finite, Normal
from memup.nn.distributions.quantile import Quantile

__all__ = [
    "MAX_CLASSES",
    "MOST_LABELS",
    "AbstractDistribution",
    "Bernoullis",
    "BoxNormal",
    "Categories",
    "Finite",
    "Joint",
    "Normal",
    "Quantile",
    "distribution_of",
    "from_description",
    "kind_of",
    "numbered",
    "suit",
]
