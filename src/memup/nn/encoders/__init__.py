"""Encoders: what networks see of observations, actions and rewards; one file a kind of leaf."""

from memup.nn.encoders.leaf import encode, numbers
from memup.nn.encoders.step import InputEncoder, QueryEncoder

__all__ = ["InputEncoder", "QueryEncoder", "encode", "numbers"]
