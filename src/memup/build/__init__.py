"""Names become objects here and nowhere else."""
