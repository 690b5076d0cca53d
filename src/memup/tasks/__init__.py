"""Supervised sequence tasks."""
