"""Encoders and likelihoods."""
