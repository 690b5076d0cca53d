"""Encoders, distributions and modules."""
