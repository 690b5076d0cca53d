"""What a run leaves on disk: directory, checkpoints, metrics."""
