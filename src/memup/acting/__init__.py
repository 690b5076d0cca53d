"""Environments stepped many at a time, rollouts, and how episodes went."""
