"""Judging agents and models, and asking a memory what it knows."""
