"""Environments, one file each, and adapters."""
