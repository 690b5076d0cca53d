"""MemUP: long-term memory for agents and sequence models by predicting uncertain outcomes."""

__version__ = "0.1.0"
