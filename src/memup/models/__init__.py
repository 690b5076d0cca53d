"""Trained models that stand alone: their file, and what they answer and do."""
